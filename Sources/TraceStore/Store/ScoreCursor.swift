internal import Common
internal import FoundationEssentials
internal import JSON

/// The place at which a page of scores ended, in the form that Langfuse gives it.
struct ScoreCursor: Sendable, Equatable {
    /// Milliseconds since 1970, as in ``Score/timestamp``.
    var timestamp: Int64
    var id: String

    /// Base64 with the alphabet of URLs.
    var text: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("v", 1)
            writer.member("lastTimestamp", TimeText.iso(timestamp))
            writer.member("lastId", id)
        }
        let bytes = Data(writer.bytes).base64EncodedString().utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ScoreCursor {
    /// Nil if the text is none that a store has made.
    init?(_ text: String) {
        var bytes = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while !bytes.count.isMultiple(of: 4) { bytes.append(UInt8(ascii: "=")) }
        guard let data = Data(base64Encoded: Data(bytes)),
            let object = try? JSONObject.scan(Array(data), maximumDepth: 2), object.number("v") == "1",
            let time = object.text("lastTimestamp").flatMap(TimeText.milliseconds), let id = object.text("lastId")
        else { return nil }
        self.init(timestamp: time, id: id)
    }
}
