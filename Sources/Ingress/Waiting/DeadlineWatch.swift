internal import Common
internal import ServiceLifecycle

/// Ends the waits whose time is over. One loop for all of them, since a timer a request would cost more than the
/// request.
struct DeadlineWatch: NamedService {
    let pending: PendingRequests
    let signals: SignalPublisher

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await every(.milliseconds(250)) {
                for waiter in pending.abandonOverdue() { signals.cancel(waiter.id, deadline: waiter.deadline) }
            }
        }
    }
}
