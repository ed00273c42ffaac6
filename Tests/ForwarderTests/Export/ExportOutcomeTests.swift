import Common
import TestSupport
import Testing
import Upstream

@testable import Forwarder
@testable import Queue
@testable import Redis

/// What a trace store's answer to a batch means.
@Suite(.timeLimit(.minutes(5))) struct ExportOutcomeTests {
    private func outcome(
        _ status: Int, _ body: String = "{}", type: String = "application/json", _ headers: [HeaderField] = []
    ) -> ExportOutcome {
        let head = UpstreamHead(status: status, headers: [HeaderField("Content-Type", type)] + headers)
        return ExportOutcome(head, Array(body.utf8))
    }

    @Test(arguments: [
        "{}", "", #"{"partialSuccess":{}}"#, #"{"partialSuccess":{"rejectedSpans":"0","errorMessage":"slow down"}}"#,
        #"{"partialSuccess":null}"#, #"{"partialSuccess":{"rejectedSpans":-1}}"#, "[]", "ok", #"{"id":"<html>"}"#,
    ])
    func `a success is accepted`(body: String) {
        #expect(outcome(200, body) == .accepted && outcome(202, body) == .accepted)
    }

    @Test(arguments: [
        #"{"partialSuccess":{"rejectedSpans":"2"}}"#, #" {"partialSuccess":{"errorMessage":"x","rejectedSpans":2}}"#,
    ])
    func `what is rejected is not accepted`(body: String) {
        #expect(outcome(200, body) == .malformed("it answered 200 and rejected 2 of the spans"))
    }

    @Test(arguments: [
        ("<!doctype html><html>", "text/html; charset=utf-8"), ("sign in", "Text/HTML"),
        (" \r\n<html>", "application/json"),
    ])
    func `a web page is no acceptance`(body: String, type: String) {
        #expect(outcome(200, body, type: type) == .refused("it answered 200 with a web page"))
    }

    @Test(arguments: [("7", 7), ("1000000000", 300), ("99999999999999999999", nil), ("-1", nil)])
    func `a pause is believed for five minutes`(text: String, seconds: Int?) {
        let expected = ExportOutcome.later("it answered 503", after: seconds.map { .seconds($0) })
        #expect(outcome(503, [HeaderField("Retry-After", text)]) == expected)
    }

    private func outcome(_ status: Int, _ headers: [HeaderField]) -> ExportOutcome {
        outcome(status, "", type: "text/plain", headers)
    }

    /// The others of its batch are settled, the one that is rejected is given up, and nothing is sent for ever.
    @Test func `a span that is rejected alone is given up`() async throws {
        try await ExportFixture.run { fixture in
            var good: Set<String> = []
            for _ in 0..<2 { good.insert(try await fixture.leave().description) }
            let bad = try await fixture.leave(text: #"{"malformed":1}"#)
            good.insert(try await fixture.leave().description)
            try await fixture.withExporter {
                var accepted: Set<String> = []
                while accepted != good {
                    let call = try await fixture.next()
                    if try call.text().contains("malformed") {
                        call.answer(200).send(#"{"partialSuccess":{"rejectedSpans":"1"}}"#).end()
                    } else {
                        accepted.formUnion(try call.ids())
                        call.settle(200)
                    }
                }
                try await fixture.untilEmpty()
                #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(bad))).int == 0)
            }
        }
    }

    /// A proxy's login page takes nothing: the spans stay, and `/ready` says why.
    @Test func `a login page loses nothing`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            try await fixture.withExporter {
                try await fixture.next().answer(200, type: "text/html").send("<html>Sign in</html>").end()
                try await eventually {
                    try await fixture.redis.send(RedisCommand("EXISTS", Keys.traceTrouble)).int == 1
                }
                #expect(try await fixture.waiting() == 1)
                #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(id))).int == 1)
            }
        }
    }
}
