internal import Common
internal import NIOConcurrencyHelpers

/// The jobs that this forwarder works on: as many as it has slots. Others find a job here by its insertion id, to end it or to let it go on sending.
final class RunningJobs: Sendable {
    /// Cancellations that came before their job are remembered this long (in milliseconds); a marker in Redis outlives them.
    private static let memory: UInt64 = 60_000
    private static let rememberedCancellations = 100_000

    private struct State {
        var controls: [InsertionID: CallControl] = [:]
        /// Slots in use; entries that are no jobs use one too.
        var used = 0
        var cancelled: [InsertionID: UInt64] = [:]
        var room: CheckedContinuation<Void, Never>?
        var empty: [CheckedContinuation<Void, Never>] = []
    }

    let capacity: Int
    private let state = NIOLockedValueBox(State())

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { state.withLockedValue { $0.used } }
    var ids: [InsertionID] { state.withLockedValue { Array($0.controls.keys) } }
    var freeSlots: Int { state.withLockedValue { max(capacity - $0.used, 0) } }

    /// Starts a job in a task of its own, on `executor`. It is a task without a parent so that it can be ended by its job's id alone; `waitUntilEmpty`
    /// is where it is waited for.
    func start(
        _ id: InsertionID?, on executor: (any TaskExecutor)?, _ operation: @escaping @Sendable (CallControl) async -> Void
    ) {
        let control = CallControl()
        let isCancelled = state.withLockedValue { state in
            state.used += 1
            guard let id else { return false }
            state.controls[id] = control
            return state.cancelled[id] != nil
        }
        if isCancelled { control.end(.cancelled) }
        // allowed: owned by this registry, see above
        let task = Task(executorPreference: executor) {
            await operation(control)
            self.finish(id, control)
        }
        control.carry { task.cancel() }
    }

    private func finish(_ id: InsertionID?, _ control: CallControl) {
        let resumed = state.withLockedValue { state in
            state.used -= 1
            // The same job may have come again meanwhile, under another control.
            if let id, state.controls[id] === control { state.controls[id] = nil }
            var resumed = state.room.take().map { [$0] } ?? []
            if state.used == 0 {
                resumed += state.empty
                state.empty = []
            }
            return resumed
        }
        for continuation in resumed { continuation.resume() }
    }

    /// Waits until there is a free slot. One task calls this.
    /// - Returns: how many are free.
    func waitForRoom() async -> Int {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLockedValue { state in
                guard state.used >= capacity else { return true }
                state.room = continuation
                return false
            }
            if hasRoom { continuation.resume() }
        }
        return freeSlots
    }

    /// Waits until no job is left.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLockedValue { state in
                guard state.used > 0 else { return true }
                state.empty.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// A job is not wanted any longer, whether it runs here, will come, or runs elsewhere.
    /// - Parameter now: milliseconds since 1970.
    func cancel(_ id: InsertionID, now: UInt64 = UnixTime.milliseconds) {
        let control = state.withLockedValue { state in
            if state.cancelled.count >= Self.rememberedCancellations {
                state.cancelled = state.cancelled.filter { $0.value + Self.memory > now }
            }
            if state.cancelled.count < Self.rememberedCancellations { state.cancelled[id] = now }
            return state.controls[id]
        }
        control?.end(.cancelled)
    }

    func credit(_ id: InsertionID, bytes: Int) {
        state.withLockedValue { $0.controls[id] }?.credit(bytes)
    }

    /// Ends all jobs, to be handed back.
    func releaseAll() {
        for control in state.withLockedValue({ Array($0.controls.values) }) { control.end(.released) }
    }
}
