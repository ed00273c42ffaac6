import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// How long a reader who wants many bytes waits for them.
@Suite(.timeLimit(.minutes(5))) struct WaitPolicyTests {
    private static let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    private static let short = Duration.milliseconds(20)

    /// Calls a peer that says what `script` lets it say.
    private func call(
        _ script: @escaping ScriptedServer.Script, _ body: @Sendable (any UpstreamCall) async throws -> Void
    ) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(Self.head)
            try await script(connection)
        } _: { upstream, server in
            try await upstream.withCall(UpstreamRequest(method: "GET", url: server.url())) { call in
                _ = try await call.head()
                try await body(call)
            }
            #expect(await upstream.inFlight == 0)
        }
    }

    /// The peer says no more until the reader has what it said.
    @Test func `what has lain is handed over`() async throws {
        let seen = (0..<5).map { _ in TestSignal() }
        try await call { connection in
            for (index, signal) in seen.enumerated() {
                try await connection.write("\(index)")
                await signal.wait()
            }
        } _: { call in
            var allowed = ContinuousClock.now
            for (index, signal) in seen.enumerated() {
                let piece = try await call.next(minimum: 1000, patience: Self.short)
                #expect(piece == UpstreamPiece(Array("\(index)".utf8), isRest: false))
                // The first may have come before it was asked for.
                if index > 0 { #expect(allowed.duration(to: .now) >= Self.short) }
                allowed = .now
                signal.send()
            }
            let piece = try await call.next(minimum: 1000, patience: Self.short)
            #expect(piece == nil)
        }
    }

    /// A reader that was busy while the bytes lay does not wait once more.
    @Test func `what lay while the reader was away comes at once`() async throws {
        let (away, seen) = (TestSignal(), TestSignal())
        try await call { connection in
            try await connection.write("a")
            try await connection.pause(milliseconds: 50)
            away.send()
            await seen.wait()
        } _: { call in
            await away.wait()
            let piece = try await call.next(minimum: 1000, patience: Self.short)
            #expect(piece?.bytes == Array("a".utf8))
            seen.send()
        }
    }

    @Test(arguments: [nil, Duration.seconds(600)])
    func `what comes within the patience is one piece`(patience: Duration?) async throws {
        try await call { connection in
            try await connection.write("a")
            try await connection.pause(milliseconds: 50)
            try await connection.write("b")
        } _: { call in
            var piece = try await call.next(minimum: 1000, patience: patience)
            #expect(piece == UpstreamPiece(Array("ab".utf8), isRest: true))
            piece = try await call.next(minimum: 1000, patience: patience)
            #expect(piece == nil)
        }
    }

    @Test func `the minimum is waited for no longer than it takes to come`() async throws {
        let seen = TestSignal()
        try await call { connection in
            try await connection.write("abc")
            await seen.wait()
        } _: { call in
            var piece = try await call.next(minimum: 3, patience: .seconds(600))
            #expect(piece == UpstreamPiece(Array("abc".utf8), isRest: false))
            seen.send()
            piece = try await call.next(minimum: 3, patience: .seconds(600))
            #expect(piece == nil)
        }
    }

    /// Nothing lies, so there is nothing to hand over: the reader waits for the call's own end.
    @Test func `patience alone ends no wait`() async throws {
        let began = TestSignal()
        try await call { connection in
            await began.wait()
            try await connection.pause(milliseconds: 60)
            try await connection.write("a")
        } _: { call in
            began.send()
            let piece = try await call.next(minimum: 1000, patience: .milliseconds(1))
            #expect(piece?.bytes == Array("a".utf8))
        }
    }

    /// Many readers at a time, each of whom gets each byte before its peer says the next.
    @Test func `two hundred slow answers at a time`() async throws {
        try await withUpstream { connection in
            while let request = try await connection.request() {
                let byte = request.contains("/a") ? "a" : "b"
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
                for _ in 0..<3 {
                    try await connection.write(byte)
                    try await connection.pause(milliseconds: 40)
                }
            }
        } _: { upstream, server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let request = UpstreamRequest(method: "GET", url: server.url(index % 2 == 0 ? "/a" : "/b"))
                        let time = Duration.milliseconds(1 + index % 7)
                        return try await upstream.withCall(request) { call in
                            var body: [UInt8] = []
                            while let piece = try await call.next(minimum: 1000, patience: time) { body += piece.bytes }
                            return body == Array((index % 2 == 0 ? "aaa" : "bbb").utf8)
                        }
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(await upstream.inFlight == 0)
        }
    }
}
