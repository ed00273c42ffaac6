internal import Common
internal import NIOConcurrencyHelpers

/// A semaphore that is fair between projects: those that wait in one project are served in their order, and the
/// projects by turns.
///
/// An eighth of its permits, and one of a few, is for projects that hold none. So a project whose trace store takes
/// long never holds all of them.
final class FairSemaphore: Sendable {
    private struct Waiter {
        let number: Int
        let since: ContinuousClock.Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        /// Permits in use, by project.
        var held: [UTF8Text: Int] = [:]
        /// Those that wait, by project, the first to come first.
        var queues: [UTF8Text: [Waiter]] = [:]
        /// Projects that wait, the next to be served first.
        var turns: [UTF8Text] = []
        var nextNumber = 0
    }

    let capacity: Int
    /// Permits for projects that hold none.
    private let reserve: Int
    private let state: NIOLockedValueBox<State>

    init(capacity: Int) {
        self.capacity = capacity
        reserve = capacity > 1 ? max(capacity / 8, 1) : 0
        state = NIOLockedValueBox(State(free: capacity))
    }

    /// The number of tasks that wait for a permit.
    var queued: Int { state.withLockedValue { $0.queues.values.reduce(0) { $0 + $1.count } } }

    /// The longest that a task has waited for a permit, of those that still wait.
    func longestWait(at now: ContinuousClock.Instant = .now) -> Duration {
        let first = state.withLockedValue { state in state.queues.values.compactMap(\.first?.since).min() }
        return first.map { $0.duration(to: now) } ?? .zero
    }

    /// Takes a permit if the project may have one now.
    func tryAcquire(for project: String) -> Bool {
        let project = UTF8Text(project)
        return state.withLockedValue { state in
            guard state.queues[project] == nil, mayTake(project, state) else { return false }
            Self.take(project, &state)
            return true
        }
    }

    /// Waits for a permit.
    /// - Returns: false if the task was cancelled first; then no permit was taken.
    func acquire(for project: String, at now: ContinuousClock.Instant = .now) async -> Bool {
        let project = UTF8Text(project)
        let number = state.withLockedValue { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isGranted: Bool? = state.withLockedValue { state in
                    if Task.isCancelled { return false }
                    if state.queues[project] == nil, mayTake(project, state) {
                        Self.take(project, &state)
                        return true
                    }
                    if state.queues[project] == nil { state.turns.append(project) }
                    state.queues[project, default: []].append(
                        Waiter(number: number, since: now, continuation: continuation))
                    return nil
                }
                if let isGranted { continuation.resume(returning: isGranted) }
            }
        } onCancel: {
            cancel(number, of: project)
        }
    }

    func release(for project: String) {
        let project = UTF8Text(project)
        let granted = state.withLockedValue { state in
            state.free += 1
            let left = (state.held[project] ?? 1) - 1
            state.held[project] = left > 0 ? left : nil
            return grant(&state)
        }
        for continuation in granted { continuation.resume(returning: true) }
    }

    private func mayTake(_ project: UTF8Text, _ state: State) -> Bool {
        state.free > reserve || state.free > 0 && state.held[project] == nil
    }

    private static func take(_ project: UTF8Text, _ state: inout State) {
        state.free -= 1
        state.held[project, default: 0] += 1
    }

    /// Gives out what is free, one permit to each project in turn.
    private func grant(_ state: inout State) -> [CheckedContinuation<Bool, Never>] {
        var granted: [CheckedContinuation<Bool, Never>] = []
        while let place = state.turns.firstIndex(where: { mayTake($0, state) }) {
            let project = state.turns.remove(at: place)
            guard let waiter = state.queues[project]?.removeFirst() else { continue }
            if state.queues[project]?.isEmpty == true {
                state.queues[project] = nil
            } else {
                state.turns.append(project)
            }
            Self.take(project, &state)
            granted.append(waiter.continuation)
        }
        return granted
    }

    private func cancel(_ number: Int, of project: UTF8Text) {
        let waiter: Waiter? = state.withLockedValue { state in
            guard let place = state.queues[project]?.firstIndex(where: { $0.number == number }) else { return nil }
            let waiter = state.queues[project]?.remove(at: place)
            if state.queues[project]?.isEmpty == true {
                state.queues[project] = nil
                state.turns.removeAll { $0 == project }
            }
            return waiter
        }
        waiter?.continuation.resume(returning: false)
    }
}
