internal import Common
internal import JSON

/// The value of an attribute (OTLP's `AnyValue`).
enum OTLPValue: Sendable, Equatable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case array([OTLPValue])
    case map([OTLPAttribute])
    case bytes([UInt8])
    /// A value of no kind, or of one that OTLP did not have when this was written.
    case empty

    /// The depth to which arrays and maps in a value may nest. Beyond it the export is refused.
    static let maximumDepth = 32

    /// A string as it is, anything else as JSON: so Langfuse stores attributes.
    var text: String? {
        switch self {
        case .string(let text): text
        case .empty: nil
        default: String(decoding: json, as: UTF8.self)
        }
    }

    /// The value as JSON.
    var json: [UInt8] {
        var writer = JSONWriter()
        append(to: &writer)
        return writer.bytes
    }

    private func append(to writer: inout JSONWriter) {
        switch self {
        case .string(let text): writer.string(text)
        case .bool(let value): writer.raw(value ? "true" : "false")
        case .int(let value): writer.raw(String(value))
        case .double(let value): writer.number(value)
        case .array(let values): writer.array(values) { writer, value in value.append(to: &writer) }
        case .map(let attributes):
            writer.object { writer in
                for attribute in attributes { writer.member(attribute.key) { attribute.value.append(to: &$0) } }
            }
        case .bytes(let bytes): writer.array(bytes) { $0.raw(String($1)) }
        case .empty: writer.raw("null")
        }
    }
}

/// OTLP's `KeyValue`.
struct OTLPAttribute: Sendable, Equatable {
    var key: String
    var value: OTLPValue
}

/// The attributes of a span, a resource or a scope, by their names. Of two with one name the last counts.
struct OTLPAttributes: Sendable, Equatable {
    private(set) var values: [UTF8Text: OTLPValue] = [:]

    init(_ list: [OTLPAttribute] = []) {
        for attribute in list { values[attribute.key] = attribute.value }
    }

    subscript(name: String) -> OTLPValue? { values[name] }

    /// The text of the first of these attributes that has one.
    func text(_ names: String...) -> String? {
        for name in names {
            if let text = values[name]?.text, !text.isEmpty { return text }
        }
        return nil
    }
}
