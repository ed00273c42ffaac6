internal import Common
internal import JSON

/// The answer of `/queue`: the work that waits in the gateway.
struct QueueResponse {
    struct Worker {
        var name: String
        var pending: Double
        var idle: Double
        /// Nil where workers of the stream do not say so.
        var isAlive: Bool?
    }

    struct Group {
        var name: String
        /// Entries that no worker was given yet; nil where that is not known.
        var lag: Double?
        var pending: Double
        var workers: [Worker]
        var workerCount: Double
    }

    struct Stream {
        var name: String
        var key: String
        var length: Double
        /// Of the oldest entry, in milliseconds.
        var age: Double?
        var groups: [Group]

        /// Entries that the group, or any of several, was not given yet; nil where that is not known.
        var waiting: Double? { groups.isEmpty ? length : groups.compactMap(\.lag).max() }
        var pending: Double { groups.map(\.pending).max() ?? 0 }
    }

    let streams: [Stream]
    private let figures: JSONObject?

    init(_ bytes: [UInt8]) throws(GatewayError) {
        let answer = try JSONObject.answer(bytes)
        figures = answer.nested("figures")
        streams = answer.objects("streams").map(Self.stream)
    }

    /// A figure of `/metrics`; nil where it is not known.
    func figure(_ name: String) -> Double? { figures?.number(name) }

    func stream(_ name: String) -> Stream? { streams.first { $0.name == name } }

    private static func stream(_ object: JSONObject) -> Stream {
        Stream(
            name: object.text("name") ?? "", key: object.text("key") ?? "", length: object.number("length") ?? 0,
            age: object.number("age_ms"),
            groups: object.objects("groups").map { group in
                Group(
                    name: group.text("name") ?? "", lag: group.number("lag"), pending: group.number("pending") ?? 0,
                    workers: group.objects("workers").map { worker in
                        Worker(
                            name: worker.text("name") ?? "", pending: worker.number("pending") ?? 0,
                            idle: worker.number("idle_ms") ?? 0, isAlive: worker.flag("is_alive"))
                    }, workerCount: group.number("worker_count") ?? 0)
            })
    }
}
