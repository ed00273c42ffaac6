import Common
import TestSupport
import Testing
import Upstream

/// Two ways lead off a connection: completions are answered on its event loop, all else by Hummingbird. An answer that
/// left out of turn would be taken for another request's, perhaps another client's behind the same proxy.
@Suite(.timeLimit(.minutes(5))) struct SharedConnectionTests {
    /// A request, and what its answer must be.
    private struct Exchange: Sendable {
        var request: String
        var status: Int
        /// What the answer's body says; nil: what its sort of request always says.
        var text: String?
        var isHead = false
    }

    /// A random request of any kind.
    /// - Parameter number: tells it from the others.
    private static func exchange(_ number: Int, _ random: inout SeededRandom) -> Exchange {
        let body = #"{"model": "openai/gpt", "messages": [], "user": "\#(number)"}"#
        switch random.below(11) {
        case 0...3:
            return Exchange(
                request: post(LiveIngress.path, body: body, random: &random), status: 200, text: "\(number)")
        case 4:
            return Exchange(request: post("/embeddings", body: body, random: &random), status: 200, text: "\(number)")
        case 5:
            let key = "Idempotency-Key: \(number)\r\n"
            return Exchange(
                request: post("/chat/completions", body: body, headers: key, random: &random), status: 200,
                text: "\(number)")
        case 6: return Exchange(request: post("/chat/completions", body: "{", random: &random), status: 400)
        case 7:
            return Exchange(
                request: post("/project_id/none/chat/completions", body: body, random: &random), status: 404)
        case 8: return Exchange(request: "GET /chat/completions HTTP/1.1\r\nHost: g\r\n\r\n", status: 405)
        case 9: return Exchange(request: "HEAD /health HTTP/1.1\r\nHost: g\r\n\r\n", status: 200, isHead: true)
        default: return Exchange(request: "GET /health HTTP/1.1\r\nHost: g\r\n\r\n", status: 200)
        }
    }

    /// A POST request, in chunks or not.
    private static func post(
        _ path: String, body: String, headers: String = "", random: inout SeededRandom
    ) -> String {
        let head = "POST \(path) HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n\(headers)"
        guard random.chance(oneIn: 3) else { return head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body }
        var text = head + "Transfer-Encoding: chunked\r\n\r\n"
        var rest = Substring(body)
        while !rest.isEmpty {
            let count = 1 + random.below(rest.utf8.count)
            text += "\(String(count, radix: 16))\r\n\(rest.prefix(count))\r\n"
            rest = rest.dropFirst(count)
        }
        return text + "0\r\n\r\n"
    }

    /// Answers jobs with the numbers of their requests, some of them piece by piece, until it is cancelled.
    private static func answerAll(_ forwarder: ScriptedForwarder) async throws {
        while !Task.isCancelled {
            let taken = try await forwarder.take()
            let number = String(decoding: taken.job.body, as: UTF8.self).split(separator: "\"").dropLast().last ?? ""
            guard Int(number).map({ $0.isMultiple(of: 2) }) ?? false else {
                try await forwarder.answer(taken, body: String(number))
                continue
            }
            let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/plain")])
            try await forwarder.send(ResponseFrame(sequence: 0, head: head), of: taken)
            try await forwarder.send(ResponseFrame(sequence: 1, body: Array(number.utf8.prefix(1))), of: taken)
            try await forwarder.finish(
                taken, with: ResponseFrame(sequence: 2, body: Array(number.utf8.dropFirst()), end: .complete))
        }
    }

    @Test func `answers leave in the order of their requests`() async throws {
        try await LiveIngress.run { ingress in
            try await withThrowingTaskGroup { group in
                group.addTask { try await Self.answerAll(ingress.forwarder) }
                try await withThrowingTaskGroup { clients in
                    for seed in 0..<40 as Range<UInt64> {
                        clients.addTask { try await Self.converse(with: ingress, seed: seed) }
                    }
                    try await clients.waitForAll()
                }
                group.cancelAll()
            }
        }
    }

    /// Sends random requests over one connection, cut at random places, and reads the answers meanwhile.
    private static func converse(with ingress: LiveIngress, seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var exchanges: [Exchange] = []
        for number in 0..<30 { exchanges.append(exchange(Int(seed) * 1000 + number, &random)) }
        var rest = Array(exchanges.map(\.request).joined().utf8)[...]
        let closes = random.chance(oneIn: 2)
        if closes { exchanges.append(Exchange(request: "", status: 200, text: "\(seed)999")) }
        let last = post(
            LiveIngress.path, body: #"{"model": "openai/gpt", "user": "\#(seed)999"}"#,
            headers: "Connection: close\r\n",
            random: &random)
        if closes { rest += Array(last.utf8) }
        try await ingress.connect { client in
            var unanswered = exchanges[...]
            while !rest.isEmpty || !unanswered.isEmpty {
                if !rest.isEmpty {
                    let count = 1 + random.below(random.chance(oneIn: 4) ? rest.count : min(rest.count, 400))
                    try await client.send(Array(rest.prefix(count)))
                    rest = rest.dropFirst(count)
                    continue
                }
                let expected = unanswered.removeFirst()
                let answer = try await client.answer(hasBody: !expected.isHead)
                #expect(answer.status == expected.status, "seed \(seed): \(expected.request)")
                if let text = expected.text { #expect(answer.text == text, "seed \(seed)") }
            }
            if closes { #expect(await client.untilClosed().isEmpty, "seed \(seed)") }
        }
    }
}
