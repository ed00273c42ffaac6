internal import Common
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Has the rules read again on SIGHUP, and when their files have changed, which it checks each second.
struct RulesUpkeep: NamedService {
    private static let interval = Duration.seconds(1)

    let file: RulesFile
    let logger: Logger

    func run() async throws {
        // Without files SIGHUP ends the process in order.
        guard file.hasFiles else {
            try? await gracefulShutdown()
            return
        }
        let asked = await UnixSignalsSequence(trapping: .sighup)
        // Not on a loop that answers requests: reading a file waits for a disk.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await cancelWhenGracefulShutdown {
                await withDiscardingTaskGroup { group in
                    group.addTask { await every(Self.interval) { file.refresh(logger: logger) } }
                    group.addTask {
                        for await _ in asked { file.refresh(isAsked: true, logger: logger) }
                    }
                }
            }
        }
    }
}
