package import Common
internal import JSON

/// A request's record in either of the forms in which it comes through Redis: a ``SpanRecord``, or a span as OTLP/JSON
/// where exporters of version 0.1.0 may have to send it.
package struct RecordTexts: Sendable {
    package let id: InsertionID
    package let end: Timestamp
    package let attempts: [SpanAttempt]
    private let texts: [SpanAttribute: [UInt8]]

    /// The attributes of which rows are made; the others may be large.
    private static let wanted: [SpanAttribute] = [
        .insertionID, .project, .account, .provider, .modelAsked, .model, .requestModel, .traceMetadata,
        .metadataOrigins,
        .finishReasonsMetadata, .usageDetails, .inputTokens, .outputTokens, .cachedTokens, .firstToken, .status, .level,
        .errorType, .request,
    ]

    /// - Parameter bytes: as they were before they were sealed.
    /// - Throws: `WireError` for what is neither form.
    package init(_ bytes: [UInt8]) throws(WireError) {
        if bytes.first == UInt8(ascii: "{") {
            try self.init(otlp: bytes)
        } else {
            self.init(try SpanRecord(bytes))
        }
    }

    private init(_ record: SpanRecord) {
        (id, end, attempts) = (record.id, record.end, record.attempts)
        var texts: [SpanAttribute: [UInt8]] = [:]
        for attribute in Self.wanted {
            if let range = record.range(attribute), !range.isEmpty { texts[attribute] = Array(record.bytes[range]) }
        }
        self.texts = texts
    }

    package subscript(_ attribute: SpanAttribute) -> String? {
        texts[attribute].map { String(decoding: $0, as: UTF8.self) }
    }

    func bytes(_ attribute: SpanAttribute) -> [UInt8]? { texts[attribute] }

    func number(_ attribute: SpanAttribute) -> Int? { self[attribute].flatMap { Int($0) } }
}

extension RecordTexts {
    private static let names = Dictionary(uniqueKeysWithValues: wanted.map { (UTF8Text($0.key), $0) })

    /// Reads the span and those of its attempts, which stand behind it with commas between them.
    private init(otlp bytes: [UInt8]) throws(WireError) {
        var texts: [SpanAttribute: [UInt8]] = [:]
        var attempts: [SpanAttempt] = []
        var end = Timestamp.epoch
        do throws(JSONScanError) {
            let list = Array(#"{"spans":["#.utf8) + bytes + Array("]}".utf8)
            let object = try JSONObject.scan(list, maximumDepth: 12)
            let elements = object.member("spans").flatMap { object.elements($0) } ?? []
            var spans: [JSONObject] = []
            for element in elements where element.kind == .object {
                spans.append(try JSONObject.scan(list, range: element.value, maximumDepth: 12))
            }
            end = spans.first.flatMap { Self.time($0, "endTimeUnixNano") } ?? .epoch
            for (index, span) in spans.enumerated() {
                if index == 0 {
                    for (key, text) in try Self.attributes(of: span) {
                        if let attribute = Self.names[key] { texts[attribute] = Array(text.utf8) }
                    }
                } else {
                    attempts.append(try Self.attempt(span))
                }
            }
        } catch { throw .badField }
        guard let id = texts[.insertionID].flatMap({ InsertionID(String(decoding: $0, as: UTF8.self)) }) else {
            throw .missingField
        }
        (self.id, self.end, self.attempts, self.texts) = (id, max(end, id.time), attempts, texts)
    }

    private static func attempt(_ span: JSONObject) throws(JSONScanError) -> SpanAttempt {
        var row = SpanAttempt(
            number: 0, model: "", failure: nil, began: time(span, "startTimeUnixNano") ?? .epoch,
            ended: time(span, "endTimeUnixNano") ?? .epoch)
        for (key, text) in try attributes(of: span) {
            switch key.text {
            case "langfuse.observation.metadata.attempt": row.number = Int(text) ?? 0
            case "langfuse.observation.metadata.model": row.model = text
            case "error.type": row.failure = text
            default: continue
            }
        }
        return row
    }

    /// Reads a time in nanoseconds.
    private static func time(_ span: JSONObject, _ name: String) -> Timestamp? {
        span.member(name).flatMap { span.string($0) }.flatMap { UInt64($0) }.map {
            Timestamp(milliseconds: $0 / 1_000_000)
        }
    }

    private static func attributes(of span: JSONObject) throws(JSONScanError) -> [(key: UTF8Text, text: String)] {
        var found: [(UTF8Text, String)] = []
        for element in span.member("attributes").flatMap({ span.elements($0) }) ?? [] where element.kind == .object {
            let pair = try JSONObject.scan(span.bytes, range: element.value, maximumDepth: 8)
            guard let key = pair.member("key").flatMap({ pair.string($0) }), let member = pair.member("value"),
                let value = try pair.object(member)?.members.first, let inner = try pair.object(member)
            else { continue }
            if let text = inner.string(value) { found.append((UTF8Text(key), text)) }
        }
        return found
    }
}
