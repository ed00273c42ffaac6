internal import Common
internal import JSON

/// Writes one span as OTLP/JSON has it (opentelemetry-proto, `trace.v1.Span`): ids in lower-case hex, 64-bit integers as decimal strings, attributes as a
/// list of keys and typed values.
struct SpanWriter {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true
    let redactor: SecretRedactor

    /// - Parameters:
    ///   - redactor: takes secrets out of the short texts: names, tags, ids of others.
    ///   - capacity: bytes that the span will have, as far as can be told.
    init(redactor: SecretRedactor, capacity: Int) {
        self.redactor = redactor
        bytes.reserveCapacity(capacity)
    }

    /// Writes what is no attribute: JSON as it is.
    mutating func raw(_ json: StaticString) { json.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    /// Writes a number, or hex digits.
    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func quoted(_ text: String) { JSONText.append(text, to: &bytes) }

    /// A text; nothing for nil and for an empty one.
    /// - Parameter isClean: whether it holds no secret of a client's or a provider's: an id by which the trace is found stays as it is.
    mutating func string(_ key: StaticString, _ value: String?, limit: Int = SpanLimits.value, isClean: Bool = false) {
        guard var value, !value.isEmpty else { return }
        if !isClean { value = redactor.clean(value) }
        begin(key)
        raw(#"{"stringValue":"#)
        quoted(value.utf8.count <= limit ? value : TextPiece(value).prefix(limit).text + SpanLimits.mark(kept: limit, of: value.utf8.count))
        raw("}}")
    }

    /// A text in pieces.
    mutating func text(_ key: StaticString, _ pieces: [TextPiece]) {
        begin(key)
        raw(#"{"stringValue":""#)
        for piece in pieces { JSONText.appendEscaped(piece.bytes, piece.range, to: &bytes) }
        raw(#""}}"#)
    }

    mutating func integer(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        begin(key)
        raw(#"{"intValue":""#)
        raw(String(value))
        raw(#""}}"#)
    }

    /// A number that is written as it came. What no double can hold is left out: a reader might refuse the whole batch for it.
    mutating func double(_ key: StaticString, _ text: String?) {
        guard let text, let value = Double(text), value.isFinite else { return }
        begin(key)
        raw(#"{"doubleValue":"#)
        raw(text)
        raw("}}")
    }

    /// - Parameter ids: texts of the gateway's own that follow.
    mutating func strings(_ key: StaticString, _ values: [String], then ids: [String] = []) {
        let values = values.map(redactor.clean) + ids
        guard !values.isEmpty else { return }
        begin(key)
        raw(#"{"arrayValue":{"values":["#)
        for (index, value) in values.enumerated() {
            raw(index == 0 ? #"{"stringValue":"# : #",{"stringValue":"#)
            quoted(value)
            raw("}")
        }
        raw("]}}}")
    }

    private mutating func begin(_ key: StaticString) {
        raw(isFirst ? #"{"key":""# : #",{"key":""#)
        isFirst = false
        raw(key)
        raw(#"","value":"#)
    }
}
