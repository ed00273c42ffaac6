internal import Common
internal import Logging
internal import ServiceLifecycle

/// Keeps what decides about clients up to date, as long as the ingress runs.
struct AuthUpkeep: NamedService {
    let auth: any AuthProvider
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await auth.maintain(logger: logger) }
        // A provider that has nothing to do is done at once; the ingress is not.
        try? await gracefulShutdown()
    }
}
