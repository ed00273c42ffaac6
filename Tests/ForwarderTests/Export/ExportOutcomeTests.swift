import Common
import InMemoryLogging
import Logging
import TestSupport
import Testing
import Upstream

@testable import Forwarder
@testable import Queue
@testable import Redis

/// What a trace store's answer to a batch means.
@Suite(.timeLimit(.minutes(5))) struct ExportOutcomeTests {
    private func outcome(
        _ status: Int, body: String = "{}", type: String = "application/json", headers: [HeaderField] = []
    ) -> ExportOutcome {
        let head = UpstreamHead(status: status, headers: [HeaderField("Content-Type", type)] + headers)
        return ExportOutcome(head, Array(body.utf8))
    }

    @Test(arguments: [
        "{}", "", #"{"partialSuccess":{}}"#, #"{"partialSuccess":{"rejectedSpans":"0","errorMessage":"slow down"}}"#,
        #"{"partialSuccess":null}"#, #"{"partialSuccess":{"rejectedSpans":-1}}"#, #"{"id":"<html>"}"#, " \n",
        "\u{FEFF}{}", #"{"success":true}"#, #"{"error":null}"#, #"{"errors":[]}"#, #"{"partial_success":{}}"#,
    ])
    func `a success is accepted`(body: String) {
        #expect(outcome(200, body: body) == .accepted && outcome(202, body: body) == .accepted)
    }

    @Test(arguments: [
        #"{"partialSuccess":{"rejectedSpans":"2"}}"#, #" {"partialSuccess":{"errorMessage":"x","rejectedSpans":2}}"#,
        #"{"partialSuccess":{"rejectedSpans":2.0}}"#, #"{"partial_success":{"rejected_spans":2}}"#,
        "\u{FEFF}" + #"{"partialSuccess":{"rejectedSpans":"2"}}"#, #"{"x":1,"partialSuccess":{"rejectedSpans":2e0}}"#,
    ])
    func `what is rejected is not accepted`(body: String) {
        #expect(outcome(200, body: body) == .malformed("it answered 200 and rejected 2 of the spans"))
    }

    @Test(arguments: [
        ("<!doctype html><html>", "text/html; charset=utf-8"), ("sign in", "Text/HTML"),
        (" \r\n<html>", "application/json"),
    ])
    func `a web page is no acceptance`(body: String, type: String) {
        #expect(outcome(200, body: body, type: type) == .refused("it answered 200 with a web page"))
    }

    @Test(arguments: [
        ("Please log in", "text/plain"), ("ok", "application/json"), ("[]", "application/json"),
        (#"{"error":"Unauthorized"}"#, "application/json"), (#"{"errors":[{}]}"#, "application/json"),
        (#"{"Message":"Forbidden"}"#, "application/json"), (#"{"success":false}"#, "application/json"),
        (#"{"message":"Sign in first.","success":false}"#, "application/json"),
        (#"{"partialSuccess":{},"error":"x"}"#, "application/json"),
        (#"{"partialSuccess":{"rejectedSpans":0,"rejectedSpans":1}}"#, "application/json"),
        (#"{"partialSuccess":7}"#, "application/json"), (#"{"partialSuccess":{"rejectedSpans":"x"}}"#, ""),
        ("{", "application/json"), ("\u{0B}", "application/x-protobuf"), ("{}", "text/html"),
    ])
    func `an answer that is not of OTLP is no acceptance`(body: String, type: String) {
        guard case .refused(let reason) = outcome(200, body: body, type: type) else {
            Issue.record("\(body) is accepted")
            return
        }
        #expect(reason.hasPrefix("it answered 200 with "))
    }

    @Test func `more rejected spans than a number holds are rejected`() {
        let body = #"{"partialSuccess":{"rejectedSpans":99999999999999999999}}"#
        #expect(
            outcome(200, body: body) == .malformed("it answered 200 and rejected 99999999999999999999 of the spans"))
    }

    private func answer(_ bytes: [UInt8], type: String) -> ExportAnswer {
        ExportAnswer(UpstreamHead(status: 200, headers: [HeaderField("Content-Type", type)]), bytes)
    }

    @Test func `an answer in protobuf is read`() {
        let type = "application/x-protobuf"
        #expect(answer([0x0A, 0x06, 0x08, 0x01, 0x12, 0x02, 0x6E, 0x6F], type: type) == .rejected("1"))
        #expect(answer([0x0A, 0x04, 0x12, 0x02, 0x6E, 0x6F], type: type) == .taken(remark: "no"))
        for bytes in [[], [0x0A, 0x00], [0x0A, 0x02, 0x08, 0x00], [0x12, 0x01, 0x3C]] as [[UInt8]] {
            #expect(answer(bytes, type: type) == .taken(remark: nil))
        }
        // 60 bytes: as text a line break and `<`.
        let long = [0x0A, 0x3C, 0x12, 0x3A] + Array(repeating: UInt8(ascii: "a"), count: 58)
        #expect(answer(long, type: type) == .taken(remark: String(repeating: "a", count: 58)))
        for bytes in [[0x0A, 0x05, 0x08], [0x0A, 0x01, 0x08], [0x0B], [0x00]] as [[UInt8]] {
            #expect(answer(bytes, type: type) != .taken(remark: nil))
        }
    }

    @Test(arguments: [
        (#"{"partialSuccess":{"rejectedSpans":"0","errorMessage":"slow down"}}"#, "slow down"),
        (#"{"partial_success":{"error_message":"slow down"}}"#, "slow down"), (#"{"id":7}"#, "member id"),
    ])
    func `a remark of the trace store is logged`(body: String, remark: String) async throws {
        let handler = InMemoryLogHandler()
        try await ExportFixture.run { fixture in
            _ = try await fixture.leave()
            try await fixture.withExporter(logger: Logger(label: "test") { _ in handler }) {
                try await fixture.next().answer(200).send(body).end()
                try await fixture.untilEmpty()
            }
        }
        let entries = handler.entries.filter { $0.message.description.contains("with a remark") }
        #expect(entries.count == 1 && entries[0].metadata["remark"]?.description.contains(remark) == true)
    }

    @Test(arguments: [("7", 7), ("1000000000", 300), ("99999999999999999999", nil), ("-1", nil)])
    func `a pause is believed for five minutes`(text: String, seconds: Int?) {
        let expected = ExportOutcome.later("it answered 503", after: seconds.map { .seconds($0) })
        #expect(outcome(503, [HeaderField("Retry-After", text)]) == expected)
    }

    private func outcome(_ status: Int, _ headers: [HeaderField]) -> ExportOutcome {
        outcome(status, body: "", type: "text/plain", headers: headers)
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
