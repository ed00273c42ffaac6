internal import Common

/// The metadata of a row as a trace store sent it.
struct StoredMetadata {
    /// The span's attributes that Langfuse knows nothing of, which servers of version 3 and the embedded store keep
    /// here.
    static let attributes = "attributes"
    /// The number of characters to which the second API cuts a value whose name is not in `expandMetadata`.
    private static let shown = 200

    private let json: LangfuseJSON?
    private let bytes: [UInt8]

    /// - Parameter row: what has the member `metadata`.
    init(of row: LangfuseJSON) {
        json = row.nested("metadata")
        bytes = row.value("metadata")
    }

    /// Names of values that the second API seems to have cut. It does not say so: any value of just that length may be.
    func cut() -> Set<UTF8Text> { json.map { json in Set(texts: json.names.filter { Self.isCut(json, $0) }) } ?? [] }

    /// All but the values that are cut, for none is shown in part.
    /// - Parameter whole: names that were asked for whole.
    func withoutStumps(whole: Set<UTF8Text>) -> [UInt8] {
        guard let json else { return bytes }
        let stumps = cut().filter { !whole.contains($0) || Self.isBroken(json, $0.text) }
        return stumps.isEmpty ? bytes : json.without(stumps)
    }

    /// The reasons why the choices ended: the gateway's own metadata, else an attribute, as older versions have it.
    var finishReasons: [String] {
        guard let json else { return [] }
        if let reasons = json.texts(FinishReasons.name) ?? json.text(FinishReasons.name).flatMap(FinishReasons.list) {
            return reasons
        }
        guard
            let attributes = json.nested(Self.attributes)
                ?? json.text(Self.attributes).flatMap({ LangfuseJSON(Array($0.utf8)) })
        else { return [] }
        return attributes.texts(FinishReasons.attribute) ?? attributes.text(FinishReasons.attribute).flatMap(
            FinishReasons.list) ?? []
    }

    private static func isCut(_ json: LangfuseJSON, _ name: String) -> Bool {
        guard json.isString(name) else { return false }
        // JavaScript may cut a character in two, whose half is not text.
        guard let text = json.text(name) else { return true }
        return [text.utf8.count, text.utf16.count, text.unicodeScalars.count].contains(shown)
    }

    /// Whether a value is the beginning of JSON: a server that does not know `expandMetadata` cuts it all the same.
    private static func isBroken(_ json: LangfuseJSON, _ name: String) -> Bool {
        guard let text = json.text(name) else { return true }
        return [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(text.utf8.first)
            && !LangfuseJSON.isJSON(Array(text.utf8))
    }
}
