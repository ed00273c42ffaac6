internal import JSON

/// A row's tags as one column: a JSON list.
enum TagList {
    static func json(_ tags: [String]) -> String {
        var writer = JSONWriter()
        writer.array(tags) { $0.string($1) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func tags(_ json: String) -> [String] { EmbeddedJSON.strings(json) ?? [] }
}
