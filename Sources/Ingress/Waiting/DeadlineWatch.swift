internal import Common
internal import ServiceLifecycle

/// Ends the waits whose time is over. One loop for all of them, since a timer a request would cost more than the
/// request.
struct DeadlineWatch: Service, CustomStringConvertible {
    let room: WaitingRoom
    let desk: NewsDesk

    var description: String { "DeadlineWatch" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for waiter in room.abandonOverdue() { desk.cancel(waiter.id, deadline: waiter.deadline) }
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
