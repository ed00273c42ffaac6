import Common
import Foundation
import NIOConcurrencyHelpers
import NIOPosix
import TestSupport
import Testing
import Upstream

@testable import Forwarder

@Suite struct MockUpstreamTests {
    /// One answer, read to its end.
    struct Answer: Sendable {
        var head: UpstreamHead
        var pieces: [String]
        var text: String { pieces.joined() }

        func json() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        /// The data of the server-sent events.
        var events: [String] {
            text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { String($0.dropFirst("data: ".count)) }
        }
    }

    private let clock = ScriptedClock()

    private func request(_ model: String, body: String = "", path: String = "/chat/completions") -> UpstreamRequest {
        let messages = #"[{"role":"system","content":"Be kind."},{"role":"user","content":"hello there wörld"}]"#
        return UpstreamRequest(
            method: "POST", url: "mock:\(path)",
            body: Array(#"{"model":"\#(model)","messages":\#(messages)\#(body)}"#.utf8))
    }

    private func answer(_ request: UpstreamRequest, minimum: Int = 1) async throws -> Answer {
        try await MockUpstream(clock: clock, now: { 1_700_000_000_123 }).withCall(request) { call in
            var answer = Answer(head: try await call.head(), pieces: [])
            while let bytes = try await call.next(minimum: minimum) {
                answer.pieces.append(String(decoding: bytes, as: UTF8.self))
            }
            #expect(try await call.next(minimum: 1) == nil)
            return answer
        }
    }

    @Test func `a completion echoes the last user message`() async throws {
        let answer = try await answer(request("mock/echo"))
        #expect((answer.head.status, answer.head.headers.first(named: "content-type")) == (200, "application/json"))
        let json = try answer.json()
        #expect(json["object"] as? String == "chat.completion")
        #expect(json["model"] as? String == "mock/echo")
        #expect(json["created"] as? Int == 1_700_000_000)
        #expect((json["id"] as? String)?.hasPrefix("chatcmpl-mock-") == true)
        let choice = try #require((json["choices"] as? [[String: Any]])?.first)
        #expect(choice["finish_reason"] as? String == "stop")
        #expect((choice["message"] as? [String: Any])?["content"] as? String == "hello there wörld")
        #expect(json["usage"] as? [String: Int] == ["prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8])
        #expect(clock.sleeps.isEmpty)
    }

    @Test(arguments: [
        (
            #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"b"}]}]"#,
            "a\nb"
        ),
        (#"[{"role":"user","content":"first"},{"role":"assistant","content":null,"tool_calls":[]}]"#, "first"),
        (#"[{"role":"user","content":"\"\\\n\u0001 😀"}]"#, "\"\\\n\u{1} 😀"),
        ("[]", ""),
    ])
    func `content may be in parts, absent, or need escapes`(messages: String, text: String) async throws {
        for stream in ["false", "true"] {
            let body = Array(#"{"model":"mock/echo?chunks=7","messages":\#(messages),"stream":\#(stream)}"#.utf8)
            let answer = try await answer(UpstreamRequest(method: "POST", url: "mock:/chat/completions", body: body))
            #expect(try content(of: answer, isStream: stream == "true") == text)
        }
    }

    private func content(of answer: Answer, isStream: Bool) throws -> String {
        guard isStream else {
            let choice = try #require((answer.json()["choices"] as? [[String: Any]])?.first)
            return try #require((choice["message"] as? [String: Any])?["content"] as? String)
        }
        return try answer.events.dropLast().map { event in
            let json = try #require(try JSONSerialization.jsonObject(with: Data(event.utf8)) as? [String: Any])
            let delta = (json["choices"] as? [[String: Any]])?.first?["delta"] as? [String: Any]
            return delta?["content"] as? String ?? ""
        }.joined()
    }

    @Test(
        arguments: ["mock/echo?chunks=1", "mock/echo?size=0", "mock/echo?size=5"],
        ["Hi", "", "two words"])
    func `a stream of a single piece`(model: String, text: String) async throws {
        let body = Array(#"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}],"stream":true}"#.utf8)
        let answer = try await answer(UpstreamRequest(method: "POST", url: "mock:/chat/completions", body: body))
        #expect(answer.events.count == 4)
        #expect(answer.events.last == "[DONE]")
        #expect(clock.sleeps.isEmpty)
    }

    @Test(arguments: [true, false])
    func `a stream has its events in order, one a piece`(usage: Bool) async throws {
        let options = usage ? #","stream":true,"stream_options":{"include_usage":true}"# : #","stream":true"#
        let answer = try await answer(request("mock/echo?chunks=4&pace_ms=10&delay_ms=200", body: options))
        #expect(answer.head.headers.first(named: "content-type") == "text/event-stream; charset=utf-8")
        #expect(answer.pieces.count == (usage ? 8 : 7))
        #expect(answer.pieces.allSatisfy { $0.hasPrefix("data: ") && $0.hasSuffix("\n\n") })
        let events = answer.events
        #expect(events[0].contains(#""delta":{"role":"assistant","content":""}"#))
        #expect(
            events[1...4].allSatisfy {
                $0.contains(#""finish_reason":null"#) && $0.contains(#""chat.completion.chunk""#)
            })
        #expect(events[5].contains(#""delta":{},"logprobs":null,"finish_reason":"stop""#))
        #expect(events.last == "[DONE]")
        #expect(
            events.contains {
                $0.contains(#""choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}"#)
            } == usage)
        #expect(try content(of: answer, isStream: true) == "hello there wörld")
        #expect(clock.sleeps == [.milliseconds(200)] + Array(repeating: .milliseconds(10), count: 3))
    }

    @Test(arguments: [0, 1, 27, 1000, 1 << 20])
    func `the text has the size that was asked for`(bytes: Int) async throws {
        for stream in [true, false] {
            let answer = try await answer(
                request("mock/echo?size=\(bytes)&chunks=3&completion_tokens=9", body: #","stream":\#(stream)"#))
            #expect(try content(of: answer, isStream: stream).utf8.count == bytes)
        }
    }

    @Test(arguments: [1, 400, 1_000_000])
    func `a reader that asks for more gets pieces together`(bytes: Int) async throws {
        let request = request("mock/echo?chunks=50", body: #","stream":true"#)
        let answer = try await answer(request, minimum: bytes)
        #expect(answer.events.count == 53)
        #expect(answer.pieces.dropLast().allSatisfy { $0.utf8.count >= bytes })
    }

    @Test(arguments: [
        (429, "rate_limit_exceeded"), (401, "invalid_api_key"), (400, "invalid_request"), (500, "server_error"),
        (503, "server_error"),
    ])
    func `a status is answered with OpenAI's error body`(status: Int, code: String) async throws {
        let answer = try await answer(
            request("mock/echo?status=\(status)&retry_after=7&delay_ms=5", body: #","stream":true"#))
        #expect(answer.head.status == status)
        #expect(answer.head.headers.first(named: "retry-after") == "7")
        #expect(answer.head.headers.first(named: "content-type") == "application/json")
        #expect((try answer.json()["error"] as? [String: Any])?["code"] as? String == code)
        #expect(clock.sleeps == [.milliseconds(5)])
    }

    @Test(arguments: [
        ("mock/echo?speed=9", "", "/chat/completions", 400, "unknown_mock_option"),
        ("mock/echo?status=1", "", "/chat/completions", 400, "invalid_mock_option"),
        ("mock/gpt", "", "/chat/completions", 404, "model_not_found"),
        ("mock/echo", #","stream":"yes""#, "/chat/completions", 400, "invalid_request"),
        ("mock/echo", "", "/embeddings", 404, "not_found"),
    ])
    func `what is asked wrongly is answered, not thrown`(
        model: String, body: String, path: String, status: Int, code: String
    ) async throws {
        let answer = try await answer(request(model, body: body, path: path))
        #expect(answer.head.status == status)
        #expect((try answer.json()["error"] as? [String: Any])?["code"] as? String == code)
    }

    @Test(arguments: [
        ("fail=connect", false, UpstreamError.Code.connect, 0), ("fail=cut", false, .closedEarly, 1),
        ("fail=cut&chunks=5", true, .closedEarly, 4),
        ("fail=stall", false, .idleTimeout, 1), ("fail=stall&chunks=5", true, .idleTimeout, 4),
        ("delay_ms=301", false, .idleTimeout, 0), ("chunks=5&pace_ms=301", true, .idleTimeout, 2),
        ("chunks=5&pace_ms=250", true, .totalTimeout, 4),
        ("size=5000", false, .tooLarge, 0), ("size=5000&chunks=5", true, .tooLarge, 3),
    ])
    func `failures come as a network's would`(
        options: String, isStream: Bool, code: UpstreamError.Code, pieces: Int
    ) async throws {
        var request = request("mock/echo?\(options)", body: #","stream":\#(isStream)"#)
        request.timeouts = UpstreamTimeouts(idle: .milliseconds(300), total: .milliseconds(600))
        request.limits.bodyBytes = 3000
        let seen = Counter()
        let error = await #expect(throws: UpstreamError.self) {
            try await MockUpstream(clock: clock).withCall(request) { call in
                while try await call.next(minimum: 1) != nil { seen.add() }
            }
        }
        #expect(error?.code == code)
        #expect(error?.requestMayHaveBeenSent == (code != .connect))
        #expect(seen.value == pieces)
    }

    /// What comes within the patience comes as one piece, and what comes later does not hold it up.
    @Test(arguments: [("pace_ms=10", 2), ("pace_ms=30", 6)])
    func `bytes wait no longer than the reader lets them`(option: String, count: Int) async throws {
        let request = request("mock/echo?size=60&chunks=6&\(option)", body: #","stream":true"#)
        let whole = try await answer(request)
        let patience = Duration.milliseconds(25)
        var pieces: [UpstreamPiece] = []
        try await MockUpstream(clock: clock, now: { 1_700_000_000_123 }).withCall(request) { call in
            while let piece = try await call.next(minimum: 1 << 20, patience: patience) { pieces.append(piece) }
        }
        #expect(pieces.count == count)
        #expect(pieces.map(\.isRest) == pieces.indices.map { $0 == pieces.count - 1 })
        let text = String(decoding: pieces.map(\.bytes).joined(), as: UTF8.self)
        #expect(Answer(head: whole.head, pieces: [text]).events.count == whole.events.count)
    }

    @Test func `what comes before a standstill is no rest`() async throws {
        var request = request("mock/echo?fail=stall")
        request.timeouts.idle = .milliseconds(300)
        let error = await #expect(throws: UpstreamError.self) {
            try await MockUpstream(clock: clock).withCall(request) { call in
                #expect(try await call.next(minimum: 1 << 20, patience: .milliseconds(20))?.isRest == false)
                _ = try await call.next(minimum: 1 << 20, patience: .milliseconds(20))
            }
        }
        #expect(error?.code == .idleTimeout)
    }

    @Test func `cancelling ends the wait`() async throws {
        let clock = ScriptedClock(holds: true)
        let request = request("mock/echo?delay_ms=600000")
        await withTaskGroup(of: UpstreamError.Code?.self) { group in
            group.addTask {
                do {
                    _ = try await MockUpstream(clock: clock).withCall(request) { call in try await call.head() }
                    return nil
                } catch {
                    return (error as? UpstreamError)?.code
                }
            }
            for await _ in clock.sleepers { break }
            group.cancelAll()
            #expect(await group.next() == .cancelled)
        }
    }

    @Test func `upstreams tell the mock from the network`() async throws {
        let network = MockUpstream(clock: clock, now: { 5000 })
        let upstreams = Upstreams(network: network, mock: MockUpstream(clock: clock))
        let model = try ProviderDirectory.made().resolve(.chat("mock/echo")).request
        #expect(try await upstreams.withCall(model) { try await $0.head().status } == 200)
        // The stand-in for the network answers 404 to a URL that is not the mock's.
        let other = UpstreamRequest(method: "POST", url: "https://api.openai.com/v1/chat/completions")
        #expect(try await upstreams.withCall(other) { try await $0.head().status } == 404)
    }

    /// What a call pushes.
    private final class Pushed: UpstreamReceiver {
        let events = NIOLockedValueBox<[UpstreamEvent]>([])
        let ended = TestSignal()

        func minimum(for head: UpstreamHead) -> Int { 1 << 20 }

        func receive(_ event: UpstreamEvent) {
            events.withLockedValue { $0.append(event) }
            if case .end = event { ended.send() }
        }
    }

    @Test(arguments: [("mock/echo?chunks=3&delay_ms=50", nil), ("mock/echo?fail=cut", UpstreamError.Code.closedEarly)])
    func `an answer is pushed as it is read`(model: String, failure: UpstreamError.Code?) async throws {
        let upstreams = Upstreams(network: MockUpstream(clock: clock), mock: MockUpstream(clock: clock))
        let pushed = Pushed()
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        _ = upstreams.start(request(model), patience: nil, on: loop, to: pushed)
        await pushed.ended.wait()
        let events = pushed.events.withLockedValue { $0 }
        #expect(events.count == 3)
        if case .head(let head)? = events.first { #expect(head.status == 200) } else { Issue.record("no head first") }
        if case .piece(let piece)? = events.dropFirst().first {
            #expect(piece.isRest)
        } else {
            Issue.record("no piece")
        }
        if case .end(let error)? = events.last { #expect(error?.code == failure) }
    }

    @Test func `the directory sends no key to the mock`() throws {
        let target = try ProviderDirectory.made(environment: ["OPENAI_API_KEY": "canary"]).resolve(
            .chat("mock/echo?chunks=2", key: "client"))
        #expect((target.provider, target.request.url) == ("mock", "mock:/chat/completions"))
        #expect(target.request.headers.isEmpty)
        #expect(target.bodyText.contains("mock/echo?chunks=2"))
    }
}
