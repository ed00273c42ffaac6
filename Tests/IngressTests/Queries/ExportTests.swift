import Common
import NIOConcurrencyHelpers
import RequestLog
import TestSupport
import Testing

/// Exports of the request log: of any length, as fast as their reader takes them.
@Suite(.timeLimit(.minutes(5))) struct ExportTests {
    private static let piece = [UInt8](repeating: 0x2E, count: 64 << 10)
    private static let pieces = 1024
    /// What the system's sockets and both ends may hold of it, with a wide margin.
    private static let underWay = 24 << 20

    /// An export of 64 MiB, which counts what of it was made.
    private static func export(counting made: Counter, ended: TestSignal) -> RequestLogResponse {
        RequestLogResponse(
            contentType: "application/jsonl",
            body: .pieces { write in
                defer { ended.send() }
                for _ in 0..<pieces {
                    try await write(piece[...])
                    made.add()
                }
            })
    }

    @Test func `an export waits for its reader`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBufferedBytes = 64 << 10 }) { ingress in
            let (made, ended) = (Counter(), TestSignal())
            try await ingress.withRequestLog { _, _, _ in
                Self.export(counting: made, ended: ended)
            } _: {
                try await ingress.connect { client in
                    try await client.send("GET", "/v1/logs/requests?format=jsonl")
                    #expect(try await client.head().status == 200)
                    var (last, unchanged) = (-1, 0)
                    try await eventually {
                        unchanged = made.value == last ? unchanged + 1 : 0
                        last = made.value
                        return unchanged == 40
                    }
                    #expect(made.value * Self.piece.count < Self.underWay)
                    var bytes = 0
                    while let chunk = try await client.chunk() { bytes += chunk.count }
                    #expect(bytes == Self.pieces * Self.piece.count)
                    await ended.wait()
                }
            }
        }
    }

    @Test func `a reader that leaves ends the export`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBufferedBytes = 64 << 10 }) { ingress in
            let (made, ended) = (Counter(), TestSignal())
            try await ingress.withRequestLog { _, _, _ in
                Self.export(counting: made, ended: ended)
            } _: {
                try await ingress.connect { client in
                    try await client.send("GET", "/logs/requests?format=jsonl")
                    _ = try await client.head()
                    try await client.close()
                }
                await ended.wait()
                #expect(made.value < Self.pieces)
            }
        }
    }

    /// Rows are small: they leave in pieces of about one size, and a large answer leaves in many.
    @Test(arguments: [(100_000, 10), (3, 500_000), (1, 0)]) func `an answer comes whole`(
        rows: Int, size: Int
    ) async throws {
        try await LiveIngress.run { ingress in
            try await ingress.withRequestLog { _, _, _ in
                RequestLogResponse(
                    body: .pieces { write in
                        for row in 0..<rows { try await write(Self.row(row, size)[...]) }
                    })
            } _: {
                let answer = try await ingress.call("GET", "/logs/requests")
                var wanted: [UInt8] = []
                for row in 0..<rows { wanted += Self.row(row, size) }
                #expect(answer.status == 200 && answer.body == wanted)
            }
        }
    }

    private static func row(_ number: Int, _ size: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(ascii: "a") + UInt8(number % 26), count: size)
    }
}
