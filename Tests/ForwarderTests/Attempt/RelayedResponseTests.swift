import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// An answer on its way to the client, whose beginning may have been held back.
@Suite struct RelayedResponseTests {
    private static let stream = """
        : keepalive

        data: {"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}

        data: {"choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":null}]}

        data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

        data: [DONE]


        """
    private static let cut = String(stream.prefix(stream.count - 90))
    private static let answers = [
        #"{"choices":[{"index":0,"message":{"content":"yes"},"finish_reason":"stop"}]}"#,
        #"{"choices":[{"index":0,"message":{"content":"y"#, #"{"object":"list"}"#, "<html>", "[1]", "", "\u{FEFF}{}",
        stream, cut, stream.replacing(#"{"content":"yes"}"#, with: #"{"content":"yes"},"error":{"message":"busy"}"#),
        stream.replacing("\n", with: "\r\n"),
    ]

    private func response(to text: String, isStream: Bool) -> RelayedResponse {
        let label = isStream ? "text/event-stream" : "application/json"
        let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", label)])
        var job = Job(
            insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: "/chat/completions",
            model: "p/m", deadline: .past, responseKey: "r", body: Array(#"{"model":"p/m"}"#.utf8))
        job.isStream = isStream
        var target = Target(provider: "p", request: UpstreamRequest(method: "POST", url: "http://p/"))
        target.request.body = job.body
        return RelayedResponse(head, to: job, of: target, isLocal: true)
    }

    /// The check that has seen the beginning goes on where the answer is passed on: nothing is missed or seen twice.
    @Test(arguments: answers) func `an answer that was held back is judged as one that was not`(text: String) {
        let bytes = Array(text.utf8)
        for size in [1, 5, 64, max(bytes.count, 1)] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            var plain = response(to: text, isStream: text.hasPrefix(":"))
            var (held, preamble): (RelayedResponse, Preamble?) = (plain, Preamble(isChat: true, room: 1 << 16))
            var pending: [UInt8] = []
            var sizes: [(Int, Int)] = []
            for piece in pieces {
                sizes.append((plain.take(piece, isRest: false).frames.bodyBytes, 0))
                preamble?.take(piece)
                pending += piece
                if preamble?.isHeld == true { continue }
                adopt(&preamble, of: &held, pending)
                sizes[sizes.count - 1].1 = held.take(pending, isRest: false).frames.bodyBytes
                pending = []
                for count in [0, 20, 200, .max] {
                    #expect(held.isWhole(sent: 0, handedOver: count) == plain.isWhole(sent: 0, handedOver: count))
                }
            }
            preamble?.end()
            adopt(&preamble, of: &held, pending)
            if !pending.isEmpty { sizes.append((0, held.take(pending, isRest: false).frames.bodyBytes)) }
            #expect(sizes.reduce(0) { $0 + $1.0 } == sizes.reduce(0) { $0 + $1.1 }, "in pieces of \(size)")
            let (expected, found) = (plain.end(), held.end())
            #expect(found.failure == expected.failure, "in pieces of \(size)")
            #expect(found.succeeded == expected.succeeded)
        }
    }

    private func adopt(_ preamble: inout Preamble?, of response: inout RelayedResponse, _ pending: [UInt8]) {
        guard let found = preamble.take() else { return }
        #expect(found.count == pending.count)
        response.adopt(found.check, after: found.count)
    }
}

extension [ResponseFrame] {
    fileprivate var bodyBytes: Int { reduce(0) { $0 + $1.body.count } }
}
