import Common
import GatewayCommand
import HTTPTypes
import Hummingbird
import Ingress

/// A gateway of your own: the same program with your rules for who may enter, what happens to a completion before it is
/// queued, and further routes. It uses the public API alone. Build and run it: `swift run CustomGateway serve`.
@main
struct Main {
    static func main() async {
        await GatewayCommand.main(
            extensions: Extensions(auth: BadgeAuth(), chatHooks: [NightlyRuns()]) { router in
                router.get("/motd") { _, _ in "All providers are up.\n" }
            })
    }
}

/// Admits each request that shows a badge.
struct BadgeAuth: AuthProvider {
    var consumesBearer: Bool { false }

    func authenticate(_ request: AuthRequest) async throws -> Account? {
        guard let name = HTTPField.Name("x-badge"), let badge = request.headers[name] else {
            throw GatewayError(
                status: 401, type: "authentication_error", code: "missing_badge",
                message: "Show a badge in the header x-badge.")
        }
        return Account(id: badge)
    }
}

/// Files the completions of one account under a run of their own.
struct NightlyRuns: ChatHook {
    func prepare(_ call: inout ChatCall) async throws {
        guard call.account?.id == "nightly" else { return }
        call.rollout?.run = "nightly"
    }
}
