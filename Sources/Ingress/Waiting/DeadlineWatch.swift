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
                for request in pending.abandonOverdue() { signals.cancel(request.id, deadline: request.deadline) }
            }
        }
    }
}
