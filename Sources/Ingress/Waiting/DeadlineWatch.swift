internal import Common
internal import ServiceLifecycle

/// Ends the waits whose time is over. One loop for all of them, since a timer a request would cost more than the
/// request.
struct DeadlineWatch: Service, CustomStringConvertible {
    let pending: PendingRequests
    let signals: SignalPublisher

    var description: String { "DeadlineWatch" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for waiter in pending.abandonOverdue() { signals.cancel(waiter.id, deadline: waiter.deadline) }
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
