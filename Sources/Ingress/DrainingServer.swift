internal import Common
internal import ServiceLifecycle

/// The HTTP server, which ends in time: when it is told to stop it takes no more requests, and those whose answers have
/// not come within the drain time are told so. Else the whole process would wait for the longest call, and then break
/// all connections off at once.
struct DrainingServer: NamedService {
    let server: any Service
    let pending: PendingRequests
    let tailer: ResponseTailer
    let signals: SignalPublisher
    let drain: Duration

    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: drain)
                endWaits()
                // The server ends by itself now, and with it this group.
                try await Task.sleep(for: .seconds(3600))
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private func endWaits() {
        // No client waits any longer for answers on this process's own stream; answers that can be fetched go on.
        for request in pending.abandonAll(as: .stopped) { signals.cancel(request.id, deadline: request.deadline) }
        tailer.abandonAll(as: .stopped)
    }
}
