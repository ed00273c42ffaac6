internal import Logging
internal import ServiceLifecycle

/// Keeps what decides about clients up to date, as long as the ingress runs.
struct AuthUpkeep: Service, CustomStringConvertible {
    let auth: any AuthProvider
    let logger: Logger

    var description: String { "AuthUpkeep" }

    func run() async throws {
        await cancelWhenGracefulShutdown { await auth.maintain(logger: logger) }
        // A provider that has nothing to do is done at once; the ingress is not.
        try? await gracefulShutdown()
    }
}
