import Common
import TestSupport
import Testing

/// A connection to the provider that is cut at every byte of a small answer.
@Suite(.timeLimit(.minutes(5))) struct CutResponseTests {
    private static let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}"
    private static let stream =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

    /// Sends each beginning of `text` as an answer, and checks what the client is told.
    private func cut(_ text: String, isStream: Bool, _ isRight: (Int, CallOutcome) -> Bool) async throws {
        let bytes = Array(text.utf8)
        // The answer's beginning may lie for as long as its end may be late on a busy machine.
        let environment = ["FORWARDER_CONCURRENCY": "1", "FLUSH_INTERVAL_MS": "10000"]
        try await HostileGateway.run(environment: environment) { connection, request in
            let length = try #require(request.firstMatch(of: /"model": "(\d+)"/).flatMap { Int($0.1) })
            try await connection.write(Array(bytes.prefix(length)))
        } _: { gateway in
            try await LeakCheck.around(gateway) {
                // Only the last line's end may be missing: all that it says has come.
                for length in 0..<bytes.count - 2 {
                    let outcome = try await gateway.call("hostile/\(length)", stream: isStream)
                    #expect(isRight(length, outcome), "after \(length) bytes: \(outcome)")
                }
                try await gateway.expectGoodAnswer()
            }
            let whole = try await gateway.call("hostile/\(bytes.count)", stream: isStream, path: "/chat/completions")
            guard case .complete(200, _, let tail) = whole else { return #expect(Bool(false), "\(whole)") }
            #expect(tail.hasSuffix(isStream ? "data: [DONE]\n\n" : #"{"ok":true}"#), "whole, it is an answer")
        }
    }

    /// A head that is not whole, or a body of which nothing has left: the client is told in a status.
    private static func isRefusal(_ outcome: CallOutcome, after length: Int) -> Bool {
        // The beginning of a status line may be anything.
        outcome == .refused(status: 502, code: "closed_early")
            || length < 12 && outcome == .refused(status: 502, code: "malformed_answer")
    }

    @Test func `a cut answer is an error at every byte`() async throws {
        try await cut(Self.answer, isStream: false) { Self.isRefusal($1, after: $0) }
    }

    @Test func `a cut stream is an error at every byte`() async throws {
        // From here on a part of an event has left.
        let begun = try Self.length(upTo: "\r\n\r\n9\r\n")
        // From here on the stream has said that it is over: what breaks behind that breaks nothing.
        let done = try Self.length(upTo: "data: [DONE]\n\n")
        try await cut(Self.stream, isStream: true) { length, outcome in
            guard length < done else { if case .complete = outcome { return true } else { return false } }
            return length > begun
                ? outcome == .errorEvent(code: "closed_early") : Self.isRefusal(outcome, after: length)
        }
    }

    private static func length(upTo mark: String) throws -> Int {
        let end = try #require(stream.utf8.firstRange(of: mark.utf8)).upperBound
        return stream.utf8.distance(from: stream.startIndex, to: end)
    }
}
