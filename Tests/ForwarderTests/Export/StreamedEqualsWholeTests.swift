import Common
import Foundation
import TestSupport
import Testing

@testable import Forwarder

/// A streamed answer's span says what the span of the same answer without a stream says, whatever members its message
/// has and whatever way it is cut.
@Suite struct StreamedEqualsWholeTests {
    @Test(arguments: 0..<24 as Range<UInt64>) func `a stream equals its answer`(seed: UInt64) throws {
        var cutter = DeltaCutter(seed: seed)
        for round in 0..<60 {
            let choices = (0..<(cutter.chance(4) ? 3 : 1)).map { _ in choice(&cutter) }
            let top: [(String, JSONSample)] =
                cutter.chance(2)
                ? []
                : [("system_fingerprint", .text("fp")), ("citations", .array([.text("https://a"), .text("b\"")]))]
            let usage: (String, JSONSample) = (
                "usage", .object([("prompt_tokens", .literal("3")), ("completion_tokens", .literal("4"))])
            )
            let head: [(String, JSONSample)] = [("id", .text("c1")), ("model", .text("m")), ("created", .literal("1"))]
            let whole = JSONSample.object(
                head + top + [
                    usage,
                    (
                        "choices",
                        .array(
                            choices.enumerated().map { index, choice in
                                .object(
                                    [("index", .literal("\(index)")), ("message", choice.message)] + choice.beside
                                        + [("finish_reason", .text(choice.finish))])
                            })
                    ),
                ])
            var stream = ""
            var queues = choices.enumerated().map { events(of: $1, index: $0, &cutter) }
            let end = ["\n", "\r\n", "\r"].randomElement(using: &cutter.random) ?? "\n"
            while !queues.isEmpty {
                let place = cutter.number(0...(queues.count - 1))
                let event = JSONSample.object(
                    head + top + [("choices", .array([queues[place].removeFirst()]))]
                        + (cutter.chance(3) ? [("usage", .null)] : []))
                queues.removeAll(where: \.isEmpty)
                stream += "data: \(event.json)\(end)\(end)"
            }
            stream +=
                "data: \(JSONSample.object(head + [("choices", .array([])), usage]).json)\(end)\(end)data: [DONE]\(end)\(end)"
            let streamed = try SpanSample.span(
                type: "text/event-stream", answer: Array(stream.utf8).cut(using: &cutter.random))
            let unstreamed = try SpanSample.span(answer: [Array(whole.json.utf8)])
            for key in ["langfuse.observation.output", "langfuse.observation.metadata.response"] {
                let (got, wanted) = (streamed.string(key), unstreamed.string(key))
                #expect((got == nil) == (wanted == nil), "\(key) of seed \(seed), round \(round)")
                guard let got, let wanted else { continue }
                let areEqual = try JSONSample.read(got) == JSONSample.read(wanted)
                #expect(areEqual, "\(key) of seed \(seed), round \(round):\n\(got)\n\(wanted)\n\(stream)")
                guard areEqual else { return }
            }
            for span in [streamed, unstreamed] {
                #expect(span.level == nil, "\(span.message ?? "")")
                #expect(span.strings("gen_ai.response.finish_reasons") == choices.map(\.finish))
                #expect(span.integer("gen_ai.usage.output_tokens") == "4")
            }
        }
    }

    private struct Choice {
        var message: JSONSample
        var beside: [(String, JSONSample)]
        var finish: String
    }

    /// The events of a choice: its deltas, what stands beside them, its end.
    private func events(of choice: Choice, index: Int, _ cutter: inout DeltaCutter) -> [JSONSample] {
        var deltas = cutter.parts(of: choice.message.members)
        var beside = choice.beside.isEmpty ? [] : cutter.parts(of: choice.beside)
        var events: [JSONSample] = []
        while !deltas.isEmpty || !beside.isEmpty {
            let delta = deltas.isEmpty ? .object([]) : deltas.removeFirst()
            let own = beside.isEmpty || (cutter.chance(2) && !deltas.isEmpty) ? [] : beside.removeFirst().members
            let parts: [(String, JSONSample)] = [
                ("index", .literal("\(index)")), ("delta", delta), ("finish_reason", .null),
            ]
            events.append(.object((parts + own).shuffled(using: &cutter.random)))
        }
        return events + [
            .object([("index", .literal("\(index)")), ("delta", .object([])), ("finish_reason", .text(choice.finish))])
        ]
    }

    private func choice(_ cutter: inout DeltaCutter) -> Choice {
        let text = { (cutter: inout DeltaCutter) in
            (0..<cutter.number(0...30)).map { _ in
                ["a", "é", "😀", "\"", "\\", "\n", " ", "{", "漢", "\u{0}", "aa", "data: ", "e\u{301}"].randomElement(
                    using: &cutter.random) ?? ""
            }.joined()
        }
        var members: [(String, JSONSample)] = [
            ("role", .text("assistant")), ("content", cutter.chance(4) ? .null : .text(text(&cutter))),
        ]
        for (name, make) in Self.members where cutter.chance(3) { members.append((name, make(&cutter, text(&cutter)))) }
        var beside: [(String, JSONSample)] = []
        if cutter.chance(3) {
            let tokens = (0..<cutter.number(1...9)).map {
                JSONSample.object([
                    ("token", .text("t\($0)")), ("logprob", .literal("-0.5")), ("top_logprobs", .array([])),
                ])
            }
            beside.append(("logprobs", .object([("content", .array(tokens)), ("refusal", .null)])))
        }
        if cutter.chance(4) { beside.append(("token_ids", .array((0..<5).map { .literal("\($0)") }))) }
        if cutter.chance(4) {
            beside.append(
                (
                    "content_filter_results",
                    .object([("hate", .object([("filtered", .literal("false")), ("severity", .text("safe"))]))])
                ))
        }
        return Choice(
            message: .object(members), beside: beside,
            finish: ["stop", "tool_calls", "length"].randomElement(using: &cutter.random) ?? "stop")
    }

    private typealias Maker = @Sendable (inout DeltaCutter, String) -> JSONSample

    /// Members of a message as providers have them.
    private static let members: [(String, Maker)] = [
        ("reasoning_content", { _, text in .text(text) }), ("reasoning", { _, text in .text(text) }),
        ("refusal", { cutter, text in cutter.chance(2) ? .null : .text(text) }),
        ("x_unknown", { _, text in .text(text) }),
        ("x_number", { _, _ in .literal("1.50") }), ("x_truth", { _, _ in .literal("true") }),
        ("x_nothing", { _, _ in .null }),
        ("x_empty", { cutter, _ in cutter.chance(2) ? .object([]) : .array([]) }),
        (
            "x_deep",
            { _, text in
                .object([
                    (
                        "a",
                        .object([
                            ("b", .object([("c", .text(text)), ("d", .array([.literal("1"), .array([.null])]))]))
                        ])
                    )
                ])
            }
        ),
        ("tool_calls", { cutter, text in calls(&cutter, text) }),
        ("function_call", { _, text in .object([("name", .text("f")), ("arguments", .text(text))]) }),
        (
            "audio",
            { _, text in
                .object([
                    ("id", .text("audio_1")), ("data", .text("UklGRg==")), ("transcript", .text(text)),
                    ("expires_at", .literal("17")),
                ])
            }
        ),
        (
            "images",
            { cutter, _ in
                .array(
                    (0..<cutter.number(1...3)).map {
                        .object([
                            ("type", .text("image_url")),
                            ("image_url", .object([("url", .text("data:image/png;base64,\($0)AA"))])),
                            ("index", .literal("\($0)")),
                        ])
                    })
            }
        ),
        (
            "annotations",
            { cutter, text in
                .array(
                    (0..<cutter.number(0...3)).map { _ in
                        .object([("type", .text("url_citation")), ("url_citation", .object([("title", .text(text))]))])
                    })
            }
        ),
        (
            "reasoning_details",
            { cutter, text in
                .array(
                    (0..<cutter.number(1...3)).map {
                        .object([
                            ("type", .text($0 == 1 ? "reasoning.encrypted" : "reasoning.text")), ("text", .text(text)),
                            ("signature", .text("sig")),
                            ("format", .text("anthropic-claude-v1")), ("id", .null), ("index", .literal("\($0)")),
                        ])
                    })
            }
        ),
        (
            "extra_content",
            { _, _ in
                .object([("google", .object([("thought_signature", .text("AbC==")), ("thought", .literal("true"))]))])
            }
        ),
        (
            "provider_specific_fields",
            { _, text in .object([("note", .text(text)), ("scores", .array([.literal("1"), .literal("2")]))]) }
        ),
        ("citations", { _, text in .array([.text("https://a"), .text(text)]) }),
    ]

    private static func calls(_ cutter: inout DeltaCutter, _ text: String) -> JSONSample {
        let haveIDs = !cutter.chance(4)
        return .array(
            (0..<cutter.number(1...4)).map { place in
                // A text of a custom tool says by no sign of its own where it ends.
                let isCustom = cutter.chance(4)
                let input = isCustom ? text + "x" : JSONSample.object([("a", .text(text)), ("b", .literal("{}"))]).json
                let tool: (String, JSONSample) =
                    isCustom
                    ? ("custom", .object([("name", .text("c")), ("input", .text(input))]))
                    : (
                        "function",
                        .object([("name", .text(cutter.chance(2) ? "f" : "g")), ("arguments", .text(input))])
                    )
                let extra: [(String, JSONSample)] =
                    cutter.chance(3)
                    ? [("extra_content", .object([("google", .object([("thought_signature", .text("s\(place)"))]))]))]
                    : []
                return .object(
                    (haveIDs ? [("id", .text("call_\(place)"))] : []) + [("type", .text(tool.0)), tool] + extra)
            })
    }
}
