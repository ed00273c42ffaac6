import Common
import JSON

/// A span of a test, small and known to the byte. Its trace's id ends in its number.
struct SampleSpan: Sendable {
    /// 2026-11-22T12:00:00Z.
    static let start = Timestamp(milliseconds: 1_795_348_800_000)

    var number: Int
    var tags: [String] = []
    /// Seconds after `start`.
    var second = 0
    var attributes: [(name: String, value: String)] = []
    var parent: String?
    var spanID: String?
    var name = "litellm_request"

    init(_ number: Int, tags: [String] = [], second: Int? = nil, _ attributes: [(name: String, value: String)] = []) {
        self.number = number
        self.tags = tags
        self.second = second ?? number
        self.attributes = attributes
    }

    static func traceID(_ number: Int) -> String { "0198c1f2a4b57c3d8e9f0a1b" + hex(number, 8) }

    var id: String { spanID ?? "8e9f0a1b" + Self.hex(number, 8) }

    var json: String {
        let start = Self.start.milliseconds + UInt64(second) * 1000
        let given = attributes.map { #"{"key":"\#($0.name)","value":{"stringValue":\#(quoted($0.value))}}"# }
        let tags = tags.map { #"{"stringValue":\#(quoted($0))}"# }.joined(separator: ",")
        let tagged = #"{"key":"langfuse.trace.tags","value":{"arrayValue":{"values":[\#(tags)]}}}"#
        let parent = parent.map { #""parentSpanId":"\#($0)","# } ?? ""
        return """
            {"traceId":"\(Self.traceID(number))","spanId":"\(id)",\(parent)"name":"\(name)","kind":3,"startTimeUnixNano":"\(start)000000",\
            "endTimeUnixNano":"\(start + 1500)999999","attributes":[\((given + [tagged]).joined(separator: ","))],"status":{"code":1}}
            """
    }

    static func export(_ spans: [SampleSpan]) -> String {
        """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"metadata-gateway"}}]},\
        "scopeSpans":[{"scope":{"name":"metadata-gateway","version":"1"},"spans":[\(spans.map(\.json).joined(separator: ","))]}]}]}
        """
    }

    private static func hex(_ number: Int, _ digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    private func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }
}

/// A filter parameter, encoded for a URL.
func filter(_ conditions: String...) -> String {
    "filter=" + PercentEncoding.segment("[\(conditions.joined(separator: ","))]")
}

/// A condition on tags.
func tags(_ operation: String, _ tags: String...) -> String {
    let list = tags.map { String(decoding: JSONText.quoted($0), as: UTF8.self) }.joined(separator: ",")
    return #"{"type":"arrayOptions","column":"tags","operator":"\#(operation)","value":[\#(list)]}"#
}

/// A condition on a column of text.
func options(_ column: String, _ operation: String, values: [String]) -> String {
    let list = values.map { String(decoding: JSONText.quoted($0), as: UTF8.self) }.joined(separator: ",")
    return #"{"type":"stringOptions","column":"\#(column)","operator":"\#(operation)","value":[\#(list)]}"#
}
