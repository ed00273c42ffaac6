internal import Common
internal import Logging
internal import ServiceLifecycle

/// Looks whether the store's file still has its name, and has one that was lost written again.
struct StoreFileWatch: Service, CustomStringConvertible {
    /// How long it waits between two looks.
    static let pause = Duration.seconds(1)

    let database: TraceDatabase
    let logger: Logger

    var description: String { "StoreFileWatch" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: String?
            while !Task.isCancelled {
                await look(&told)
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    /// - Parameter told: what was said last, which is not said again.
    private func look(_ told: inout String?) async {
        func tell(_ trouble: String) {
            guard told != trouble else { return }
            told = trouble
            logger.error("\(trouble)", metadata: ["file": "\(database.path)"])
        }
        guard let trouble = database.standing.trouble else {
            told = nil
            return
        }
        tell(trouble)
        do {
            guard try await database.restore() else { return }
            logger.notice("the trace store's file was written again, with all that it held", metadata: ["file": "\(database.path)"])
            told = nil
        } catch {
            tell("the trace store's file cannot be written again: \(error)")
        }
    }
}
