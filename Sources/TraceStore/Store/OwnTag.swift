internal import Common
internal import GRDB

/// The tag that names its row's own trace: `insertion_id:` and the trace's id as a UUID. Each span of the gateway has
/// it.
///
/// The index of tags holds no entry for it: it would be one more a row, each at a place of its own, and so a page of
/// the file for each row. The rows' key finds them by the trace's id. Rows of version 0.1.0 have an entry, as the tag
/// has on spans of other traces.
enum OwnTag {
    private static let name = "insertion_id:"

    /// The id of the trace that a tag names; nil for any other tag.
    static func traceID(in tag: String) -> String? {
        guard tag.utf8.count == name.utf8.count + 36, tag.hasPrefix(name) else { return nil }
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for (place, byte) in tag.utf8.dropFirst(name.utf8.count).enumerated() {
            switch place {
            case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return nil }
            default:
                guard
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                else { return nil }
                digits.append(byte)
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// `has_own_tag(traceId, tags)`: whether one of these tags names this trace.
    static let function = DatabaseFunction("has_own_tag", argumentCount: 2, pure: true) { values in
        guard let trace = String.fromDatabaseValue(values[0]), let tags = String.fromDatabaseValue(values[1]) else {
            return false
        }
        return TagList.tags(tags).contains { traceID(in: $0) == trace }
    }

    /// Whether a row `o` has one of these tags as its own. Nil if none of them can be.
    static func condition(_ tags: [String]) -> SQLFragment? {
        let traces = tags.compactMap(traceID)
        guard !traces.isEmpty else { return nil }
        return "o.traceId IN " + .list(traces) + " AND has_own_tag(o.traceId, o.tags)"
    }

    /// Reads columns of the rows of a project that have one of these tags as their own. Nil if none of them can be.
    static func rows(_ columns: String, with tags: [String], project: Int64) -> SQLFragment? {
        condition(tags).map {
            SQLFragment(
                "SELECT \(columns) FROM observation o INDEXED BY observation_key WHERE o.project = ? AND ", project)
                + $0
        }
    }
}
