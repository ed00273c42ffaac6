import Common
import Foundation
import JSON
import TestSupport
import Testing

@testable import Forwarder

/// A request or an answer that is larger than a span shows stays JSON of the same shape.
@Suite struct SpanShapeTests {
    private static let limit = 64 << 10

    /// A request as eval-protocol's adapter reads it: messages with role and content.
    private struct Input: Decodable {
        struct Message: Decodable {
            var role: String
            var content: Content
        }

        enum Content: Decodable {
            case text(String)
            case parts([Part])

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                self =
                    if let text = try? value.decode(String.self) { .text(text) } else {
                        .parts(try value.decode([Part].self))
                    }
            }
        }

        struct Part: Decodable {
            struct Image: Decodable { var url: String }

            enum CodingKeys: String, CodingKey {
                case type, text
                case image = "image_url"
            }

            var type: String
            var text: String?
            var image: Image?
        }

        var messages: [Message]
        var tools: [[String: String]]?
    }

    private func cut(
        _ messages: [String], tools: String? = nil, limit: Int = limit
    ) throws -> (input: Input, span: ReadSpan) {
        let body = #"{"messages":[\#(messages.joined(separator: ","))]\#(tools.map { ",\"tools\":\($0)" } ?? "")}"#
        let span = try SpanSample.span(
            body: body, answer: [Array(#"{"choices":[{"message":{"role":"assistant","content":"ok"}}]}"#.utf8)],
            textBytes: limit)
        let text = try #require(span.input)
        #expect(text.utf8.count <= limit)
        return (try JSONDecoder().decode(Input.self, from: Data(text.utf8)), span)
    }

    private func text(_ role: String, count: Int, words: String = "some words ") -> String {
        #"{"role":"\#(role)","content":"\#(String(repeating: words, count: count / words.utf8.count))"}"#
    }

    private func image(_ count: Int) -> String {
        let data = String(repeating: "iVBORw0KGgo/", count: count / 12)
        return
            #"{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(data)"}}]}"#
    }

    private func content(_ message: Input.Message) -> String {
        switch message.content {
        case .text(let text): text
        case .parts(let parts): parts.map { $0.text ?? $0.image?.url ?? "" }.joined()
        }
    }

    @Test func `a screenshot is whole by default`() throws {
        let (input, span) = try cut([text("user", count: 100), image(790_000)], limit: SpanLimits.spanText)
        #expect(content(input.messages[1]).utf8.count > 789_000)
        #expect(span.level == nil)
    }

    @Test func `a single long image is cut inside and uses the room`() throws {
        let (input, span) = try cut([text("system", count: 2000), image(200_000)])
        #expect(content(input.messages[0]).utf8.count > 1900)
        #expect(content(input.messages[1]).hasPrefix("lookdata:image/png;base64,iVBOR"))
        #expect(content(input.messages[1]).contains("[cut by the gateway after"))
        #expect(try #require(span.input).utf8.count > Self.limit - 200)
        #expect(span.level == "WARNING")
        #expect(span.message?.contains("long strings cut: 1") == true)
    }

    @Test func `of many images the newest stay whole`() throws {
        let (input, _) = try cut((0..<10).map { _ in image(20_000) } + [text("user", count: 100)])
        let isWhole = input.messages.map { !content($0).contains("[cut by") }
        #expect(isWhole == Array(repeating: false, count: 7) + [true, true, true, true])
    }

    @Test func `an image is cut before a longer text`() throws {
        let (input, _) = try cut([text("user", count: 40_000), image(30_000)])
        #expect(!content(input.messages[0]).contains("[cut by"))
        #expect(content(input.messages[1]).contains("[cut by"))
    }

    @Test func `a long text is cut before many short ones`() throws {
        let (input, _) = try cut((0..<50).map { _ in text("user", count: 1000) } + [text("tool", count: 300_000)])
        #expect(input.messages.count { content($0).contains("[cut by") } == 1)
        #expect(content(input.messages[50]).contains("[cut by"))
    }

    @Test func `of many equal texts the newest stay whole`() throws {
        let (input, _) = try cut((0..<100).map { _ in text("user", count: 4000) })
        let isWhole = input.messages.map { !content($0).contains("[cut by") }
        #expect(isWhole.first == false && isWhole.last == true)
        #expect(isWhole == isWhole.sorted { !$0 && $1 }, "no older one is whole beside a newer one that is not")
    }

    @Test func `of too many messages the oldest are left out`() throws {
        let (input, span) = try cut((0..<5000).map { #"{"role":"user","content":"message \#($0)"}"# })
        #expect(content(input.messages[0]).contains("left out]"))
        #expect(input.messages[0].role == "system")
        #expect(content(try #require(input.messages.last)) == "message 4999")
        #expect(try #require(span.input).utf8.count > Self.limit - 300)
        #expect(
            span.message?.contains("elements left out: \(5001 - input.messages.count)") == true, "\(span.message ?? "")"
        )
    }

    @Test func `a message of too many parts keeps the last`() throws {
        let parts = (0..<4000).map { #"{"type":"text","text":"part \#($0)"}"# }.joined(separator: ",")
        let (input, _) = try cut([text("system", count: 100), #"{"role":"user","content":[\#(parts)]}"#])
        #expect(content(try #require(input.messages.last)).hasSuffix("part 3999"))
    }

    @Test func `tools are cut before messages`() throws {
        let (input, _) = try cut(
            [text("user", count: 50_000)], tools: #"[{"description":"\#(String(repeating: "a tool ", count: 8000))"}]"#)
        #expect(!content(input.messages[0]).contains("[cut by"))
        #expect(input.tools?[0]["description"]?.contains("[cut by") == true)
    }

    @Test func `arguments are still a string`() throws {
        let arguments = String(
            decoding: JSONText.quoted(#"{"x":"\#(String(repeating: "é\n\"", count: 40_000))"}"#), as: UTF8.self)
        let (input, _) = try cut([#"{"role":"tool","content":\#(arguments)}"#])
        #expect(content(input.messages[0]).hasPrefix(#"{"x":"é"#))
    }

    @Test(arguments: [
        "[" + String(repeating: "0,", count: 100_000) + "1]",
        "[" + String(repeating: "\"a\",", count: 50_000) + "\"b\"]",
        "{" + (0..<20_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + "}",
        "1" + String(repeating: "0", count: 100_000),
        String(repeating: "[", count: 200) + "\"" + String(repeating: "a b ", count: 50_000) + "\""
            + String(repeating: "]", count: 200),
        String(repeating: "[", count: 200) + String(repeating: "1,", count: 50_000) + "1"
            + String(repeating: "]", count: 200),
        "{\"" + String(repeating: "n", count: 100_000) + "\":1,\"b\":2}",
        "\"" + String(repeating: "\\\"", count: 50_000) + "\"",
        "\"" + String(repeating: "\\ud83d\\ude00", count: 10_000) + "\"",
        String(repeating: "{\"a\":[", count: 5000) + "1" + String(repeating: "]}", count: 5000),
    ])
    func `what is large stays JSON of its kind`(json: String) {
        for limit in [1024, 10_000, 65_536] {
            var shortener = JSONShortener()
            let cut = shortener.shorten(ByteSlice(json), to: limit)
            #expect(cut.count <= limit)
            #expect(JSONWalker.isValue(cut.bytes, range: cut.range), "\(cut.text.prefix(300))")
            #expect(cut.bytes[cut.range.lowerBound] == json.utf8.first || json.hasPrefix("1"))
            #expect(shortener.cutStrings + shortener.leftOut > 0 || cut.count == json.utf8.count)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `any JSON is cut to its limit`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            let json = Self.value(depth: 5, &random)
            let limit = Int.random(in: 600...4000, using: &random)
            var shortener = JSONShortener()
            let cut = shortener.shorten(ByteSlice(json), to: limit)
            #expect(cut.count <= limit)
            #expect(JSONWalker.isValue(cut.bytes, range: cut.range), "\(json) → \(cut.text)")
        }
    }

    private static func value(depth: Int, _ random: inout SeededRandom) -> String {
        let count = Int.random(in: 0...6, using: &random)
        switch depth == 0 ? 0 : Int.random(in: 0...4, using: &random) {
        case 0, 1:
            let piece = ["a", "é", "\\n", "\\\"", "😀", "\\ud83d\\ude00", "\\\\"].randomElement(using: &random) ?? ""
            return "\"" + String(repeating: piece, count: Int.random(in: 0...700, using: &random)) + "\""
        case 2: return "[ " + (0..<count).map { _ in value(depth: depth - 1, &random) }.joined(separator: " , ") + " ]"
        default:
            return "{" + (0..<count).map { "\"k\($0)\": " + value(depth: depth - 1, &random) }.joined(separator: ",\n")
                + "}"
        }
    }

    @Test func `an output is cut as an input is`() throws {
        let calls = (0..<3).map {
            #"{"id":"c\#($0)","type":"function","function":{"name":"f","arguments":"\#(String(repeating: "a b ", count: 10_000))"}}"#
        }
        let answer =
            #"{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[\#(calls.joined(separator: ","))]}}]}"#
        let span = try SpanSample.span(body: #"{"messages":[]}"#, answer: [Array(answer.utf8)], textBytes: Self.limit)
        let text = try #require(span.output)
        let output = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect((output["tool_calls"] as? [Any])?.count == 3)
        #expect(span.message?.hasPrefix("The output of ") == true)
    }

    /// A million small strings: no step looks at them more than a few times.
    @Test(.timeLimit(.minutes(5))) func `a million small strings take bounded time`() throws {
        let messages = "[" + String(repeating: "\"a\",", count: 500_000) + "\"z\"]"
        let span = try SpanSample.span(
            body: #"{"messages":\#(messages)}"#, answer: [Array("{}".utf8)], textBytes: Self.limit)
        #expect(try #require(span.input).hasSuffix(#","z"]}"#))
        #expect(try #require(span.input).hasPrefix(#"{"messages":["…[cut by the gateway: "#))
    }
}
