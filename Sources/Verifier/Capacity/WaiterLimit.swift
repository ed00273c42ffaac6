internal import Common
internal import NIOConcurrencyHelpers

/// The bound of the questions that wait in this process, shared between projects: a project may have another one wait
/// while it has fewer than there are places left. So one alone has half of the places at most, and never all.
final class WaiterLimit: Sendable {
    private struct State {
        var total = 0
        var waiting: [UTF8Text: Int] = [:]
        var refusals = 0
    }

    let capacity: Int
    private let refused: @Sendable () -> Void
    private let state = NIOLockedValueBox(State())

    /// - Parameter refused: called for each question that finds no place.
    init(capacity: Int, refused: @escaping @Sendable () -> Void = {}) {
        self.capacity = capacity
        self.refused = refused
    }

    /// The number of questions that wait.
    var count: Int { state.withLockedValue { $0.total } }

    /// Takes a place.
    /// - Returns: whether there was one for the project.
    func enter(_ project: String) -> Bool {
        let project = UTF8Text(project)
        let isIn = state.withLockedValue { state in
            let own = state.waiting[project] ?? 0
            guard own < capacity - state.total else {
                state.refusals += 1
                return false
            }
            state.waiting[project] = own + 1
            state.total += 1
            return true
        }
        if !isIn { refused() }
        return isIn
    }

    /// Gives a place back.
    func leave(_ project: String) {
        let project = UTF8Text(project)
        state.withLockedValue { state in
            state.total -= 1
            let left = (state.waiting[project] ?? 1) - 1
            state.waiting[project] = left > 0 ? left : nil
        }
    }

    /// The number of questions that found no place since this was last asked.
    func takeRefusals() -> Int {
        state.withLockedValue { state in
            defer { state.refusals = 0 }
            return state.refusals
        }
    }
}
