internal import Common
internal import JSON
internal import Policies

extension RequestFacts {
    /// The facts about the requests of a page of the log, as `/logs/requests` answers it.
    static func requests(in page: [UInt8]) -> [RequestFacts] {
        guard let answer = try? JSONObject.scan(page, maximumDepth: 64),
            let rows = answer.member("data").flatMap({ answer.elements($0) })
        else { return [] }
        return rows.compactMap { row in
            (try? JSONObject.scan(answer.bytes, range: row.value, maximumDepth: 64)).map { RequestFacts(logged: $0) }
        }
    }

    /// The same request, as if its client's key had set its metadata: some rules ask for that.
    var vouchedFor: RequestFacts {
        var facts = self
        for entry in metadata.entries { facts.metadata.set(entry.key, to: entry.value, from: .key) }
        return facts
    }

    /// - Parameter row: of the log. It does not say where metadata comes from, which may be the client's own claim.
    private init(logged row: JSONObject) {
        func text(_ name: String) -> String? { row.member(name).flatMap { row.string($0) } }
        self.init(
            caller: Caller(
                account: text("account"), user: text("user"),
                teams: row.member("teams").flatMap { row.strings($0) } ?? []),
            model: text("model_asked"))
        if let entries = row.member("metadata").flatMap({ try? row.object($0) }) {
            for member in entries.members {
                guard let key = entries.name(of: member), let value = entries.string(member) else { continue }
                metadata.set(key, to: value, from: .header)
            }
        }
        guard let name = text("rollout_id") else { return }
        rollout = RolloutIDs(
            rollout: name, invocation: text("invocation_id") ?? "", experiment: text("experiment_id") ?? "",
            run: text("run_id") ?? "", row: text("row_id") ?? "")
    }
}
