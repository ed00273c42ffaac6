internal import Common
internal import JSON

/// A JSON object for an attribute, of members that came from elsewhere. Of two members with one name the first counts.
struct SpanObject {
    private(set) var bytes: [UInt8] = []
    private var names = JSONNames()

    var isEmpty: Bool { bytes.isEmpty }
    var piece: ByteSlice { ByteSlice(bytes + [UInt8(ascii: "}")]) }

    mutating func add(_ name: String, _ value: String?) {
        guard var value else { return }
        let count = value.utf8.count
        if count > SpanLimits.value {
            value = ByteSlice(value).prefix(SpanLimits.value).text + SpanLimits.mark(kept: SpanLimits.value, of: count)
        }
        guard begin(name) else { return }
        JSONText.append(value, to: &bytes)
    }

    /// - Parameter json: one JSON value.
    mutating func add(_ name: String, json: ByteSlice) {
        guard begin(name) else { return }
        bytes += json.bytes[json.range]
    }

    /// Writes a name, unless it is there.
    private mutating func begin(_ name: String) -> Bool {
        guard names.insert(name) else { return false }
        bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        return true
    }
}
