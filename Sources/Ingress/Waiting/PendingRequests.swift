internal import Common
internal import NIOConcurrencyHelpers

/// A client that waits for the frames of an answer.
protocol WaitingClient: Sendable {
    var id: InsertionID { get }
    /// The time at which the wait ends.
    var deadline: Deadline { get }

    /// Takes a sealed frame, as it came over Redis.
    func receive(_ sealed: [UInt8])

    /// Ends the wait. What has come can still be taken.
    func end(_ ending: Waiter.Ending)
}

/// The registry of this process's requests that wait for their answers, by insertion id.
final class PendingRequests: Sendable {
    private let waiters = NIOLockedValueBox<[InsertionID: any WaitingClient]>([:])

    /// The number of requests that wait.
    var count: Int { waiters.withLockedValue { $0.count } }

    /// The ids of the requests that wait.
    var ids: [InsertionID] { waiters.withLockedValue { Array($0.keys) } }

    func register(_ id: InsertionID, deadline: Deadline) -> Waiter {
        let waiter = Waiter(id: id, deadline: deadline)
        register(waiter)
        return waiter
    }

    func register(_ client: any WaitingClient) { waiters.withLockedValue { $0[client.id] = client } }

    /// Gives a sealed frame to the request that waits for it; drops it if none does.
    func receive(_ frame: [UInt8], for id: InsertionID) {
        waiters.withLockedValue { $0[id] }?.receive(frame)
    }

    /// The answer is complete: nothing more is expected.
    func dismiss(_ id: InsertionID) {
        waiters.withLockedValue { _ = $0.removeValue(forKey: id) }
    }

    /// Ends one wait early.
    /// - Returns: whether the request still waited.
    @discardableResult
    func abandon(_ id: InsertionID, as ending: Waiter.Ending) -> Bool {
        guard let waiter = waiters.withLockedValue({ $0.removeValue(forKey: id) }) else { return false }
        waiter.end(ending)
        return true
    }

    /// Ends all waits.
    /// - Returns: the requests whose wait was ended.
    func abandonAll(as ending: Waiter.Ending) -> [any WaitingClient] {
        let all = waiters.withLockedValue { waiters in
            defer { waiters = [:] }
            return Array(waiters.values)
        }
        for waiter in all { waiter.end(ending) }
        return all
    }

    /// Ends the waits whose time is over.
    /// - Returns: the requests whose wait was ended.
    func abandonOverdue(at now: ContinuousClock.Instant = .now) -> [any WaitingClient] {
        let overdue = waiters.withLockedValue { waiters in
            let overdue = waiters.values.filter { $0.deadline.isOver(at: now) }
            for waiter in overdue { waiters.removeValue(forKey: waiter.id) }
            return overdue
        }
        for waiter in overdue { waiter.end(.deadline) }
        return overdue
    }
}
