internal import Common
internal import JSON

/// The metadata of a row: what the span says is metadata, and beside it its resource, its scope and the attributes that
/// have no other place.
enum ObservationMetadata {
    private static let prefixes = ["langfuse.observation.metadata", "langfuse.trace.metadata"]

    /// A JSON object.
    static func json(of span: OTLPSpan) -> String? {
        var members: [(String, String)] = []
        var names: Set<UTF8Text> = []
        func add(_ name: String, _ json: String) {
            if names.insert(name) { members.append((name, json)) }
        }
        for prefix in prefixes {
            for (key, value) in span.attributes.values.sorted(by: { $0.key < $1.key }) where key.text.hasPrefix(prefix)
            {
                let name = key.text
                if name.utf8.count == prefix.utf8.count {
                    given(value).forEach { add($0, $1) }
                } else if name.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: ".") {
                    add(String(name.dropFirst(prefix.count + 1)), String(decoding: value.json, as: UTF8.self))
                }
            }
        }
        if !span.resource.values.isEmpty { add("resourceAttributes", object(span.resource.values)) }
        if !span.scope.name.isEmpty { add("scope", scope(span.scope)) }
        // Langfuse's own SDKs say all there is in attributes that are known.
        if !span.scope.name.hasPrefix("langfuse-sdk") {
            let others = span.attributes.values.filter {
                !$0.key.text.hasPrefix("langfuse.") && !SpanContent.names.contains($0.key)
            }
            if !others.isEmpty { add("attributes", object(others)) }
        }
        return members.isEmpty ? nil : join(members)
    }

    /// The members of metadata that is given as one JSON object.
    private static func given(_ value: OTLPValue) -> [(String, String)] {
        guard let text = value.text else { return [] }
        guard let object = EmbeddedJSON.scan(text) else {
            return [("metadata", String(decoding: JSONText.quoted(text), as: UTF8.self))]
        }
        return object.members.compactMap { member in
            object.name(of: member).map { ($0, String(decoding: object.bytes[member.value], as: UTF8.self)) }
        }
    }

    private static func scope(_ scope: OTLPScope) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", scope.name)
            writer.member("version", scope.version)
            writer.member("attributes") { $0.raw(object(scope.attributes.values)) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func object(_ values: [UTF8Text: OTLPValue]) -> String {
        join(
            values.sorted { $0.key < $1.key }.map {
                ($0.text, String(decoding: JSONText.quoted($1.text ?? ""), as: UTF8.self))
            })
    }

    private static func join(_ members: [(String, String)]) -> String {
        var writer = JSONWriter()
        writer.object { for (name, json) in members { $0.member(name) { $0.raw(json) } } }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
