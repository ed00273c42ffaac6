internal import JSON

extension SpanRecord {
    /// The span as OTLP/JSON has it (opentelemetry-proto, `trace.v1.Span`): ids in lower-case hex, 64-bit integers as
    /// decimal strings, attributes as a list of keys and typed values. Behind it stand the spans of its attempts, with
    /// commas between them.
    package var otlp: [UInt8] {
        var out: [UInt8] = []
        appendOTLP(to: &out)
        return out
    }

    /// Appends the span and those of its attempts as OTLP/JSON.
    package func appendOTLP(to out: inout [UInt8]) {
        out.reserveCapacity(out.count + bytes.count + 64 * attributes.count + 512)
        let hex = id.hex
        raw(#"{"traceId":""#, &out)
        raw(hex, &out)
        // The low 64 bits are never all zero: the UUID's variant is in them.
        raw(#"","spanId":""#, &out)
        raw(String(hex.suffix(16)), &out)
        raw(#"","name":"#, &out)
        quoted(nameRange, &out)
        raw(#","kind":3,"startTimeUnixNano":""#, &out)
        raw("\(id.milliseconds)000000", &out)
        raw(#"","endTimeUnixNano":""#, &out)
        raw("\(end.milliseconds)000000", &out)
        raw(#"","attributes":["#, &out)
        for (index, attribute) in attributes.enumerated() {
            raw(index == 0 ? #"{"key":""# : #",{"key":""#, &out)
            raw(attribute.key, &out)
            raw(#"","value":"#, &out)
            append(attribute, to: &out)
            raw("}", &out)
        }
        raw(#"],"status":{"code":"#, &out)
        raw(hasFailed ? "2" : "1", &out)
        if let failure {
            raw(#","message":"#, &out)
            JSONText.append(failure, to: &out)
        }
        raw("}}", &out)
        for attempt in attempts { append(attempt, to: &out) }
    }

    private func append(_ attempt: SpanAttempt, to out: inout [UInt8]) {
        let hex = id.hex
        let ids = #""traceId":"\#(hex)","spanId":"\#(attempt.spanID(of: id))","parentSpanId":"\#(hex.suffix(16))""#
        raw(",{\(ids),\"name\":\"\(attempt.name)\",\"kind\":3", &out)
        raw(",\"startTimeUnixNano\":\"\(attempt.began.milliseconds)000000\"", &out)
        raw(",\"endTimeUnixNano\":\"\(attempt.ended.milliseconds)000000\"", &out)
        raw(#","attributes":["#, &out)
        for (index, attribute) in attempt.attributes(of: id).enumerated() {
            raw(index == 0 ? #"{"key":""# : #",{"key":""#, &out)
            raw(attribute.key, &out)
            raw(#"","value":{"stringValue":"#, &out)
            JSONText.append(attribute.text, to: &out)
            raw("}}", &out)
        }
        raw(#"],"status":{"code":"#, &out)
        raw(attempt.failure == nil ? "1}}" : "2}}", &out)
    }

    /// Appends an attribute's value (OTLP's `AnyValue`).
    private func append(_ attribute: SpanAttribute, to out: inout [UInt8]) {
        guard let range = range(attribute) else { return raw("{}", &out) }
        switch attribute.kind {
        case .text:
            raw(#"{"stringValue":"#, &out)
            quoted(range, &out)
        case .integer:
            raw(#"{"intValue":""#, &out)
            out += bytes[range]
            raw("\"", &out)
        case .double:
            raw(#"{"doubleValue":"#, &out)
            out += bytes[range]
        case .texts:
            raw(#"{"arrayValue":{"values":["#, &out)
            for (index, text) in texts(attribute).enumerated() {
                raw(index == 0 ? #"{"stringValue":"# : #",{"stringValue":"#, &out)
                quoted(text, &out)
                raw("}", &out)
            }
            raw("]}", &out)
        }
        raw("}", &out)
    }

    private func quoted(_ range: Range<Int>, _ out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        JSONText.appendEscaped(bytes, range, to: &out)
        out.append(UInt8(ascii: "\""))
    }

    private func raw(_ text: String, _ out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
}
