internal import Common
internal import NIOConcurrencyHelpers

/// One question's part of a verifier's capacity: it works with a permit, and waits without one, within the limit of
/// waiters. Once it has waited it keeps its place to its end, so that no other takes it during a round.
///
/// One task uses it.
final class QuestionSlot: Sendable {
    /// The present activity of the question.
    enum Phase: String, CaseIterable, Sendable {
        /// It rests until the next round, or listens to another question's round.
        case waiting
        /// It waits for a permit.
        case queued
        /// It asks Redis and the trace store, with a permit.
        case working
    }

    /// Told of a change of phase; nil stands for neither waiting nor working.
    typealias Observer = @Sendable (_ from: Phase?, _ to: Phase?) -> Void

    private let project: String
    private let permits: FairSemaphore
    private let waiters: WaiterLimit
    private let changed: Observer
    private let state = NIOLockedValueBox(State())

    private struct State {
        var phase: Phase?
        /// Whether the question is one of the waiters.
        var hasPlace = false
    }

    init(
        for project: String, permits: FairSemaphore, waiters: WaiterLimit,
        changed: @escaping Observer = { _, _ in }
    ) {
        self.project = project
        self.permits = permits
        self.waiters = waiters
        self.changed = changed
    }

    deinit { leave() }

    /// Gives the permit up, to wait without it.
    /// - Returns: false if too many wait; then nothing has changed.
    func park() -> Bool {
        let now = state.withLockedValue { $0 }
        guard now.hasPlace || waiters.enter(project) else { return false }
        state.withLockedValue { $0.hasPlace = true }
        become(.waiting)
        if now.phase == .working { permits.release(for: project) }
        return true
    }

    /// Waits for a permit, unless it has one.
    /// - Parameter time: the longest wait.
    /// - Returns: false if there was none in that time, or too many wait.
    func take(within time: Duration, by clock: VerifierClock) async -> Bool {
        guard state.withLockedValue({ $0.phase }) != .working else { return true }
        if permits.tryAcquire(for: project) {
            become(.working)
            return true
        }
        guard time > .zero, park() else { return false }
        become(.queued)
        let isTaken = await withTaskGroup(of: Bool.self) { [permits, project] group in
            group.addTask { await permits.acquire(for: project) }
            group.addTask {
                try? await clock.sleep(time)
                return false
            }
            var isTaken = await group.next() ?? false
            group.cancelAll()
            // The permit may have come just as the time was over.
            for await late in group { isTaken = isTaken || late }
            return isTaken
        }
        become(isTaken ? .working : .waiting)
        return isTaken
    }

    /// Gives up what the question has.
    func leave() {
        let last = state.withLockedValue { $0 }
        state.withLockedValue { $0.hasPlace = false }
        become(nil)
        if last.phase == .working { permits.release(for: project) }
        if last.hasPlace { waiters.leave(project) }
    }

    private func become(_ next: Phase?) {
        let last = state.withLockedValue { state in
            defer { state.phase = next }
            return state.phase
        }
        if last != next { changed(last, next) }
    }
}
