import Common
import JSON

extension FakeSpan {
    /// The body of an export: OTLP's JSON, as the gateway's exporter writes it.
    static func export(_ spans: [FakeSpan]) -> String {
        let scope =
            #"{"scope":{"name":"metadata-gateway","version":"1"},"spans":[\#(spans.map(\.otlp).joined(separator: ","))]}"#
        return #"{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[\#(scope)]}]}"#
    }

    private var otlp: String {
        var attributes = [
            ("langfuse.observation.type", "generation"), ("langfuse.trace.name", name),
            ("langfuse.observation.input", input),
            ("langfuse.observation.output", output),
        ]
        if let model { attributes.append(("langfuse.observation.model.name", model)) }
        attributes.append(("langfuse.observation.usage_details", usage))
        for (name, value) in ownMetadata { attributes.append(("langfuse.observation.metadata.\(name)", value)) }
        if let userID { attributes.append(("user.id", userID)) }
        if let sessionID { attributes.append(("session.id", sessionID)) }
        let texts = attributes.map { #"{"key":"\#($0.0)","value":{"stringValue":\#(quoted($0.1))}}"# }
        let tags =
            #"{"key":"langfuse.trace.tags","value":{"arrayValue":{"values":[\#(tags.map { #"{"stringValue":\#(quoted($0))}"# }.joined(separator: ","))]}}}"#
        let values = finishReasons.map { #"{"stringValue":\#(quoted($0))}"# }.joined(separator: ",")
        let reasons = #"{"key":"gen_ai.response.finish_reasons","value":{"arrayValue":{"values":[\#(values)]}}}"#
        return """
            {"traceId":"\(traceID)","spanId":"\(spanID)","name":"litellm_request","kind":3,"startTimeUnixNano":"\(start)000000",\
            "endTimeUnixNano":"\(start + 5)000000","attributes":[\((texts + [tags, reasons]).joined(separator: ","))],"status":{"code":1}}
            """
    }

    private func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }
}
