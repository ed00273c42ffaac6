internal import Common
internal import Logging
internal import ServiceLifecycle

/// Takes over the jobs of forwarders that died, or that handed theirs back, and those that were given to this one in an answer that never came.
struct Reclaimer: Service, CustomStringConvertible {
    private static let interval = Duration.seconds(5)

    let stream: JobStream
    let jobs: RunningJobs
    let intake: Intake
    let logger: Logger

    var description: String { "Reclaimer" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Forwarders that started together would look together; the first would take all.
                try? await Task.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
                do {
                    let room = jobs.freeSlots
                    guard room > 0, !Task.isCancelled else { continue }
                    let claimed = try await stream.claim(upTo: room, running: jobs.entries)
                    if !claimed.isEmpty { logger.notice("took over jobs of a forwarder that is gone", metadata: ["jobs": "\(claimed.count)"]) }
                    await intake.start(claimed)
                } catch {
                    logger.debug("cannot look for abandoned jobs", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
