internal import Common

/// A JSON object for an attribute, of members that came from elsewhere. Of two members with one name the first counts; a value for which there is no room is
/// replaced by a mark, so that the object stays one.
struct SpanObject {
    private(set) var bytes: [UInt8] = []
    private var names: Set<UTF8Text> = []
    private var room: Int

    init(limit: Int = SpanLimits.small) { room = limit }

    var isEmpty: Bool { bytes.isEmpty }
    var piece: TextPiece { TextPiece(bytes + [UInt8(ascii: "}")]) }

    mutating func add(_ name: String, _ value: String?) {
        guard var value else { return }
        let count = value.utf8.count
        if count > SpanLimits.value { value = TextPiece(value).prefix(SpanLimits.value).text + SpanLimits.mark(kept: SpanLimits.value, of: count) }
        // A control character takes six bytes.
        guard begin(name, 6 * value.utf8.count) else { return }
        JSONText.append(value, to: &bytes)
    }

    /// - Parameter json: one JSON value.
    mutating func add(_ name: String, json: TextPiece) {
        if 6 * name.utf8.count + json.count + 8 <= room {
            guard begin(name, json.count) else { return }
            bytes += json.bytes[json.range]
        } else {
            add(name, SpanLimits.mark(kept: 0, of: json.count))
        }
    }

    /// Writes a name, unless it is there or there is no room for it and its value: not even a mark has room in an object of thousands of members.
    private mutating func begin(_ name: String, _ size: Int) -> Bool {
        let size = 6 * name.utf8.count + size + 8
        guard size <= room, names.insert(name) else { return false }
        room -= size
        bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        return true
    }
}
