internal import Common
internal import FoundationEssentials
internal import JSON

/// The place at which a page ended. Clients get it in base64 and give it back.
///
/// It has the members of Langfuse's own cursor, and the number of the row, which orders the rows of one millisecond.
struct ObservationCursor: Sendable, Equatable {
    var start: Timestamp
    var traceID: String
    var id: String
    var row: Int64

    var text: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("lastStartTimeTo", start.iso8601)
            writer.member("lastTraceId", traceID)
            writer.member("lastId", id)
            writer.member("lastRow", Int(row))
        }
        return Data(writer.bytes).base64EncodedString()
    }
}

extension ObservationCursor {
    /// Nil if the text is none that the store has made.
    init?(_ text: String) {
        guard let data = Data(base64Encoded: text), let object = try? JSONObject.scan(Array(data), maximumDepth: 2),
            let start = object.text("lastStartTimeTo").flatMap(TimeText.milliseconds),
            let traceID = object.text("lastTraceId"),
            let id = object.text("lastId"), let row = object.number("lastRow").flatMap({ Int64($0) })
        else { return nil }
        // No row begins before 1970: nothing lies behind such a place, not even a row at the epoch.
        self.init(start: Timestamp(clamping: start), traceID: traceID, id: id, row: start < 0 ? .min : row)
    }
}
