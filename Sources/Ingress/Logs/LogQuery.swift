internal import Common

/// The parameters of `GET /logs`.
struct LogQuery: Sendable, Equatable {
    static let defaultLimit = 100
    static let defaultHours = 24

    /// The rollout whose entries are looked through: the first that the tags name.
    let rollout: String
    /// All of them must be on an entry.
    let tags: [String]
    /// The most entries of the answer.
    let limit: Int
    /// Entries that came earlier are left out.
    let hours: Int
    /// Nil: of any program.
    let program: String?

    /// - Throws: a 400 that names the parameter at fault.
    init(_ query: String?) throws(GatewayError) {
        let items = try QueryItems(query)
        tags = items.values("tags").filter { !$0.isEmpty }
        guard let rollout = RolloutName.named(by: tags).first else {
            throw .invalidRequest(
                code: "missing_rollout_id",
                "The query must name a rollout by a tag, such as /logs?tags=rollout_id:my-rollout. Tags of other kinds choose among its entries.",
                param: "tags")
        }
        guard RolloutName.isValid(rollout) else {
            throw .invalidQuery("tags", "holds a rollout_id that \(RolloutName.rule)")
        }
        self.rollout = rollout
        limit = try items.integer("limit", in: 1...LogStore.entryLimit) ?? Self.defaultLimit
        hours = try items.integer("hours_back", in: 1...8760) ?? Self.defaultHours
        program = items.value("program")
    }

    func wants(_ entry: LogEntry) -> Bool {
        (program == nil || entry.program == program) && tags.allSatisfy { entry.tags.contains($0) }
    }

    /// The rollout that `GET /status` asks for.
    /// - Throws: a 400 if it names none.
    static func rollout(ofStatus query: String?) throws(GatewayError) -> String {
        guard let rollout = try QueryItems(query).value("rollout_id") else {
            throw .invalidRequest(
                code: "missing_rollout_id", "The query must name a rollout, such as /status?rollout_id=my-rollout.",
                param: "rollout_id")
        }
        guard RolloutName.isValid(rollout) else { throw .invalidQuery("rollout_id", RolloutName.rule) }
        return rollout
    }
}
