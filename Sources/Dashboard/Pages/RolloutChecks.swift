internal import Common
internal import JSON
internal import Text

/// The findings of one event stream about rollouts that are not complete. A turn checks some of them, beginning with
/// those whose last check is the longest ago. It shows what earlier turns found of the others.
package actor RolloutChecks {
    private struct Check {
        /// The finding of the last check that did not fail.
        var progress: RolloutProgress?
        var turn: Int
    }

    private var checks: [UTF8Text: Check] = [:]
    private var turn = 0

    package init() {}

    /// A new turn.
    /// - Parameter names: of the rollouts that are open now; the others are forgotten.
    /// - Returns: their places, in the order in which they are to be checked.
    func begin(_ names: [String]) -> [Int] {
        turn += 1
        let open = Set(names.map { UTF8Text($0) })
        checks = checks.filter { open.contains($0.key) }
        let turns = names.map { checks[UTF8Text($0)]?.turn ?? 0 }
        return names.indices.sorted { (turns[$0], $0) < (turns[$1], $1) }
    }

    /// - Parameter progress: nil where the check failed. It has had its turn all the same.
    func note(_ name: String, _ progress: RolloutProgress?) {
        let name = UTF8Text(name)
        checks[name] = Check(progress: progress ?? checks[name]?.progress, turn: turn)
    }

    func progress(of name: String) -> RolloutProgress? { checks[UTF8Text(name)]?.progress }
}
