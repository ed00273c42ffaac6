internal import Common
internal import JSON

/// The answer of `/metrics/query`: numbers of all rows, of groups of them, and of each point in time.
struct MetricsResponse {
    struct Group {
        /// The name of the property's value, as it is shown.
        var label: String
        /// Whether the rows have no value of it.
        var isAbsent = false
        /// Whether it stands for all groups that have no place of their own.
        var isOther = false
        var total: JSONObject
        /// By the time of the point.
        var points: [Timestamp: JSONObject] = [:]
    }

    let from: Timestamp
    let to: Timestamp
    /// In milliseconds.
    let interval: UInt64
    let total: JSONObject
    private(set) var groups: [Group] = []

    /// - Parameter property: by which the rows are grouped; nil: they are not.
    init(_ bytes: [UInt8], groupedBy property: String?) throws(GatewayError) {
        let answer = try JSONObject.answer(bytes)
        func time(_ name: String) -> Timestamp { answer.text(name).flatMap { Timestamp(iso8601: $0) } ?? .epoch }
        (from, to) = (time("from"), time("to"))
        interval = answer.number("interval_ms").flatMap { UInt64(exactly: $0) } ?? 0
        total = answer.nested("total") ?? answer
        for group in answer.objects("groups") {
            guard let total = group.nested("total") else { continue }
            let label = property.flatMap { group.nested("group")?.text($0) } ?? ""
            var found = Group(
                label: label, isAbsent: !group.texts("absent").isEmpty, isOther: group.flag("is_other") ?? false,
                total: total)
            for point in group.objects("points") {
                guard let time = point.text("time").flatMap({ Timestamp(iso8601: $0) }) else { continue }
                found.points[time] = point
            }
            groups.append(found)
        }
    }

    /// The beginnings of all points in the range, also of those without rows. Points lie at whole intervals of UTC.
    var times: [Timestamp] {
        guard interval > 0, from < to, to.milliseconds(since: from) / interval < 10_000 else { return [] }
        let (first, end) = (from.milliseconds - from.milliseconds % interval, to.milliseconds)
        return stride(from: first, to: end, by: Int(interval)).map { Timestamp(milliseconds: $0) }
    }
}
