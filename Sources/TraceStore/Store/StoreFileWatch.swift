internal import Common
internal import Logging
internal import ServiceLifecycle

/// Looks whether the store's file still has its name, and has one that was lost written again.
struct StoreFileWatch: NamedService {
    /// The time between two looks.
    static let pause = Duration.seconds(1)
    /// The number of different troubles that are logged of one loss.
    private static let mostTold = 8

    let database: TraceDatabase
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Each thing is said once until the file has its name again.
            var told: Set<UTF8Text> = []
            await every(Self.pause) { await look(&told) }
        }
    }

    private func look(_ told: inout Set<UTF8Text>) async {
        guard let trouble = database.standing.trouble else { return told.removeAll() }
        tell(trouble, &told)
        do {
            guard try await database.restore() else { return }
            logger.notice(
                "the trace store's file was written again, with all that it held",
                metadata: ["file": "\(database.path)"])
        } catch is CancellationError {
            return
        } catch {
            tell("the trace store's file cannot be written again: \(error)", &told)
        }
    }

    private func tell(_ trouble: String, _ told: inout Set<UTF8Text>) {
        guard told.count < Self.mostTold, told.insert(trouble) else { return }
        logger.error("\(trouble)", metadata: ["file": "\(database.path)"])
    }
}
