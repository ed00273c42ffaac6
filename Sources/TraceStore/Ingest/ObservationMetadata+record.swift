internal import Common
internal import JSON

/// The metadata of a span that the gateway itself made: the same that comes of it by way of OTLP, without a table of
/// attributes.
extension ObservationMetadata {
    /// By their names.
    private static let own: [(name: String, attribute: SpanAttribute)] = [
        ("gateway_content", .contentMetadata),
        ("gateway_failed_attempts", .failedAttemptsMetadata),
        ("gateway_finish_reasons", .finishReasonsMetadata), ("gateway_metadata_origins", .metadataOrigins),
        ("gateway_possibly_paid_twice", .possiblyPaidTwiceMetadata),
        ("gateway_rate_limits", .rateLimitsMetadata), ("gateway_rules_hash", .rulesHashMetadata),
        ("gateway_tokens_estimated", .tokensEstimatedMetadata), ("response", .responseMetadata),
    ]
    /// Attributes that have no other place, by their names.
    private static let others = SpanAttribute.allCases.filter { !$0.key.hasPrefix("langfuse.") }.sorted {
        UTF8Text($0.key) < UTF8Text($1.key)
    }
    .map { ($0, Array("\"\($0.key)\":".utf8)) }
    /// As an `ExportBatch` has them.
    private static let resource =
        #""resourceAttributes":{"service.name":"metadata-gateway","service.version":"\#(GatewayVersion.current)"}"#
    private static let scope =
        #""scope":{"name":"metadata-gateway","version":"\#(GatewayVersion.current)","attributes":{}}"#

    /// A JSON object.
    static func json(of span: SpanRecord) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(2048)
        var names = JSONNames()
        for (name, attribute) in own {
            guard let range = span.range(attribute), names.insert(name) else { continue }
            begin(name, &out)
            append(span.bytes, range: range, to: &out)
        }
        appendGiven(of: span, &names, &out)
        if names.insert("resourceAttributes") { member(resource, &out) }
        if names.insert("scope") { member(scope, &out) }
        if names.insert("attributes") {
            member(#""attributes":{"#, &out)
            appendOthers(of: span, &out)
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "}"))
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the client's and the gateway's metadata of the trace: an object, whose members stand beside the others.
    private static func appendGiven(of span: SpanRecord, _ names: inout JSONNames, _ out: inout [UInt8]) {
        guard let range = span.range(.traceMetadata), !range.isEmpty else { return }
        guard let object = try? JSONObject.scan(span.bytes, range: range, maximumDepth: EmbeddedJSON.maximumDepth)
        else {
            guard names.insert("metadata") else { return }
            begin("metadata", &out)
            return append(span.bytes, range: range, to: &out)
        }
        for member in object.members {
            guard let name = object.name(of: member), names.insert(name) else { continue }
            begin(name, &out)
            out += object.bytes[member.value]
        }
    }

    private static func appendOthers(of span: SpanRecord, _ out: inout [UInt8]) {
        var isFirst = true
        for (attribute, name) in others {
            guard let range = span.range(attribute) else { continue }
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            out += name
            switch attribute.kind {
            case .text, .integer: append(span.bytes, range: range, to: &out)
            case .double:
                var writer = JSONWriter()
                writer.number(Double(String(decoding: span.bytes[range], as: UTF8.self)) ?? .nan)
                append(writer.bytes, range: writer.bytes.indices, to: &out)
            case .texts:
                var writer = JSONWriter()
                writer.array(span.texts(attribute)) { $0.string(String(decoding: span.bytes[$1], as: UTF8.self)) }
                append(writer.bytes, range: writer.bytes.indices, to: &out)
            }
        }
    }

    /// Begins a member of the outer object.
    private static func begin(_ name: String, _ out: inout [UInt8]) {
        out.append(UInt8(ascii: out.isEmpty ? "{" : ","))
        JSONText.append(name, to: &out)
        out.append(UInt8(ascii: ":"))
    }

    private static func member(_ json: String, _ out: inout [UInt8]) {
        out.append(UInt8(ascii: out.isEmpty ? "{" : ","))
        out.append(contentsOf: json.utf8)
    }

    /// Appends a text as a JSON string.
    private static func append(_ text: [UInt8], range: Range<Int>, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        JSONText.appendEscaped(text, range, to: &out)
        out.append(UInt8(ascii: "\""))
    }
}
