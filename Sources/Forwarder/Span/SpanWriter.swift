internal import Common

/// Writes one span (``SpanRecord``), and takes secrets out of its short texts: names, tags, ids of others.
struct SpanWriter {
    private var record: SpanRecordWriter
    let redactor: SecretRedactor

    /// - Parameters:
    ///   - end: when the completion ended.
    ///   - capacity: bytes that the span will have, as far as can be told.
    init(_ id: InsertionID, name: String, end: Timestamp, redactor: SecretRedactor, capacity: Int) {
        self.redactor = redactor
        record = SpanRecordWriter(id, name: name, end: end, capacity: capacity)
    }

    var bytes: [UInt8] { record.bytes }

    /// Notes that the completion failed.
    /// - Parameter message: the reason, which holds no secret.
    mutating func fail(_ message: String) { record.fail(message) }

    /// Adds one of several calls.
    mutating func add(_ attempt: SpanAttempt) {
        var attempt = attempt
        attempt.model = ByteSlice(redactor.clean(attempt.model)).prefix(SpanLimits.value).text
        record.add(attempt)
    }

    /// Writes a text, but neither nil nor an empty one.
    /// - Parameter isClean: whether it holds no secret of a client's or a provider's: an id by which the trace is found
    ///   stays as it is.
    mutating func string(
        _ attribute: SpanAttribute, _ value: String?, limit: Int = SpanLimits.value, isClean: Bool = false
    ) {
        guard var value, !value.isEmpty else { return }
        if !isClean { value = redactor.clean(value) }
        let count = value.utf8.count
        record.text(
            attribute,
            count <= limit ? value : ByteSlice(value).prefix(limit).text + SpanLimits.mark(kept: limit, of: count))
    }

    /// Writes a text in pieces.
    mutating func text(_ attribute: SpanAttribute, _ pieces: [ByteSlice]) {
        record.begin(attribute, count: pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { record.append(piece.bytes, piece.range) }
    }

    mutating func integer(_ attribute: SpanAttribute, _ value: Int?) {
        if let value { record.text(attribute, String(value)) }
    }

    /// Writes a number as it came. A number that no double can hold is left out: a reader might refuse the whole batch
    /// for it.
    mutating func double(_ attribute: SpanAttribute, _ text: String?) {
        guard let text, let value = Double(text), value.isFinite else { return }
        record.text(attribute, text)
    }

    /// - Parameter ids: texts of the gateway's own that follow.
    mutating func strings(_ attribute: SpanAttribute, _ values: [String], then ids: [String] = []) {
        let values = values.map(redactor.clean) + ids
        if !values.isEmpty { record.texts(attribute, values) }
    }
}
