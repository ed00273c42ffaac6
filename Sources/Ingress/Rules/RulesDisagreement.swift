internal import Common

/// Ingress processes in which different rules are in force.
struct RulesDisagreement: Sendable, Equatable {
    /// The most processes that are named for each state of the rules, and the most states.
    private static let most = 5

    /// The states of the rules, the one that most processes have first, each with their names.
    private let states: [(hash: String, processes: [String])]

    /// - Returns: nil where all have the same.
    init?(_ processes: [(name: String, hash: String)]) {
        let byHash = Dictionary(grouping: processes) { UTF8Text($0.hash) }
        guard byHash.count > 1 else { return nil }
        states = byHash.map { (hash: $0.key.text, processes: $0.value.map(\.name)) }
            .sorted { ($1.processes.count, $0.hash) < ($0.processes.count, $1.hash) }
    }

    /// The warning that `/ready` shows.
    var warning: String {
        let list = states.prefix(Self.most).map { state in
            let more = state.processes.count - Self.most
            let names =
                state.processes.prefix(Self.most).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
            return "\(state.hash.isEmpty ? "none" : state.hash) in \(names)"
        }
        let more = states.count > Self.most ? "; and others" : ""
        return "different rules (CONFIG_PATH) are in force: \(list.joined(separator: "; "))\(more). "
            + "An ingress that cannot use its files logs why; reload the others with SIGHUP"
    }

    static func == (left: Self, right: Self) -> Bool { left.warning == right.warning }
}
