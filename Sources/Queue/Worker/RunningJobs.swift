package import Common
internal import NIOConcurrencyHelpers

/// The jobs that this worker works on: as many as it has slots. Others find a job here by its insertion id, to end
/// it or to let it go on sending.
package final class RunningJobs: Sendable {
    /// Cancellations that came before their job are remembered this long; a marker in Redis outlives them.
    private static let memory = Duration.seconds(60)
    private static let rememberedCancellations = 100_000

    private struct State {
        /// The jobs that run, by their entries on the stream.
        // allowed: the keys are ids of stream entries, which Redis makes
        var running: [String: CallControl] = [:]
        var controls: [InsertionID: CallControl] = [:]
        var cancelled: [InsertionID: Timestamp] = [:]
        /// Slots that are kept free for jobs on their way here.
        var reserved = 0
        var room: CheckedContinuation<Int, Never>?
        var empty: [CheckedContinuation<Void, Never>] = []
    }

    package let capacity: Int
    private let state = NIOLockedValueBox(State())

    package init(capacity: Int) { self.capacity = capacity }

    /// Slots in use; entries that are not jobs use one too.
    package var count: Int { state.withLockedValue { $0.running.count } }
    /// The entries that are worked on.
    package var entries: [String] { state.withLockedValue { Array($0.running.keys) } }
    var ids: [InsertionID] { state.withLockedValue { Array($0.controls.keys) } }
    /// Slots that are neither in use nor reserved.
    package var freeSlots: Int { state.withLockedValue { freeSlots(in: $0) } }

    private func freeSlots(in state: State) -> Int { max(capacity - state.running.count - state.reserved, 0) }

    /// Keeps slots free for jobs on their way here.
    /// - Returns: the number of slots that were taken; as many of `count` as are free.
    package func reserve(upTo count: Int) -> Int {
        state.withLockedValue { state in
            let granted = min(freeSlots(in: state), count)
            state.reserved += granted
            return granted
        }
    }

    /// Gives reserved slots up: their jobs have begun, or do not come.
    package func unreserve(_ count: Int) {
        let (room, free) = state.withLockedValue { state in
            state.reserved -= count
            let free = freeSlots(in: state)
            return (free > 0 ? state.room.take() : nil, free)
        }
        room?.resume(returning: free)
    }

    /// Takes slots for entries that were read and are about to start, so that the entries do not count as lost.
    func admit(_ entries: [String]) {
        state.withLockedValue { state in
            for entry in entries where state.running[entry] == nil { state.running[entry] = CallControl() }
        }
    }

    /// Notes that a job begins. It can be ended by its id from now on; `waitUntilEmpty` waits for its end.
    func begin(_ id: InsertionID?, entry: String, client: (any LocalClient)? = nil) -> CallControl {
        let (control, isCancelled) = state.withLockedValue { state in
            let control = state.running[entry] ?? CallControl(client: client)
            state.running[entry] = control
            guard let id else { return (control, false) }
            state.controls[id] = control
            return (control, state.cancelled[id] != nil)
        }
        if isCancelled { control.end(.cancelled) }
        return control
    }

    /// Notes that a job has ended.
    func finish(_ id: InsertionID?, entry: String, control: CallControl) {
        control.close()
        let (room, free, empty) = state.withLockedValue { state in
            state.running[entry] = nil
            // The same job may be on the stream twice, under another control.
            if let id, state.controls[id] === control { state.controls[id] = nil }
            let free = freeSlots(in: state)
            let room = free > 0 ? state.room.take() : nil
            guard state.running.isEmpty else { return (room, free, [CheckedContinuation<Void, Never>]()) }
            defer { state.empty = [] }
            return (room, free, state.empty)
        }
        room?.resume(returning: free)
        for continuation in empty { continuation.resume() }
    }

    /// Waits until there is a free slot, or the task is cancelled. One task calls this.
    /// - Returns: the number of free slots; 0 only if the task is cancelled.
    func waitForRoom() async -> Int {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let free: Int? = state.withLockedValue { state in
                    let free = freeSlots(in: state)
                    if free > 0 || Task.isCancelled { return free }
                    state.room = continuation
                    return nil
                }
                if let free { continuation.resume(returning: free) }
            }
        } onCancel: {
            state.withLockedValue { $0.room.take() }?.resume(returning: 0)
        }
    }

    /// Waits until no job is left.
    package func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLockedValue { state in
                guard !state.running.isEmpty else { return true }
                state.empty.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Notes that a job is no longer wanted, whether it runs here, will come, or runs elsewhere.
    package func cancel(
        _ id: InsertionID, _ cancellation: Cancellation = Cancellation(), now: Timestamp = .now
    ) {
        let control = state.withLockedValue { state in
            if state.cancelled.count >= Self.rememberedCancellations {
                state.cancelled = state.cancelled.filter { $0.value + Self.memory > now }
            }
            if state.cancelled.count < Self.rememberedCancellations { state.cancelled[id] = now }
            return state.controls[id]
        }
        control?.end(.cancelled, handedOver: cancellation.handedOver)
    }

    /// Ends a job whose client is in this process, since another worker answers it now.
    func drop(_ id: InsertionID) {
        guard let control = state.withLockedValue({ $0.controls[id] }), control.isLocal else { return }
        control.end(.cancelled)
    }

    /// Notes that the reader of an answer has taken `bytes` of it.
    /// - Returns: whether the answer comes from here. A job that was taken over may still run here; then its new worker
    ///   must hear of this.
    @discardableResult
    func credit(_ id: InsertionID, bytes: Int) -> Bool {
        guard let control = state.withLockedValue({ $0.controls[id] }) else { return false }
        control.credit(bytes)
        return control.isLocal && control.stop == nil
    }

    /// Ends all jobs, to be handed back.
    func releaseAll() {
        for control in state.withLockedValue({ Array($0.running.values) }) { control.end(.released) }
    }
}
