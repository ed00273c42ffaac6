internal import Common
internal import Policies

/// Tells an object that describes values from one that holds them.
enum SecretSchema {
    private static let types: [StaticString] = ["string", "number", "integer", "boolean", "object", "array", "null"]

    /// Whether the object there is a JSON schema: `{"api_key":{"type":"string"}}` among a tool's parameters describes a
    /// key and holds none. Its first member tells.
    static func begins(_ text: UnsafeBufferPointer<UInt8>, at start: Int, before end: Int) -> Bool {
        var place = pass(text, from: start + 1, before: end)
        guard let name = string(text, at: &place, before: end), SecretName.isSchemaKeyword(name) else { return false }
        guard name.elementsEqual("type".utf8) else { return true }
        place = pass(text, from: place, before: end)
        guard place < end, text[place] == UInt8(ascii: ":") else { return false }
        place = pass(text, from: place + 1, before: end)
        guard place < end, text[place] != UInt8(ascii: "[") else { return true }
        guard let type = string(text, at: &place, before: end) else { return false }
        return types.contains { $0.withUTF8Buffer { $0.elementsEqual(type) } }
    }

    private static func pass(_ text: UnsafeBufferPointer<UInt8>, from start: Int, before end: Int) -> Int {
        var place = start
        while place < min(end, start + 256), text[place] <= 0x20 { place += 1 }
        return place
    }

    private static func string(
        _ text: UnsafeBufferPointer<UInt8>, at place: inout Int, before end: Int
    ) -> UnsafeBufferPointer<UInt8>? {
        guard place < end, text[place] == UInt8(ascii: "\"") else { return nil }
        let start = place + 1
        place = start
        while place < min(end, start + 64), text[place] != UInt8(ascii: "\"") { place += 1 }
        defer { place += 1 }
        return UnsafeBufferPointer(rebasing: text[start..<place])
    }
}
