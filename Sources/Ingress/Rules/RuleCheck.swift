package import Common
internal import Logging
package import Policies
internal import Queue
package import Redis

/// Explains what the operator's rules decide of a described request as an ingress does, without one: for
/// `check --explain`.
package struct RuleCheck: Sendable {
    private let policies: Policies
    private let settings: Settings
    private let keys: APIKeyAuth?

    /// - Parameter auth: who may enter; the keys of a file are known by their ids.
    package init(_ policies: Policies, settings: Settings, auth: any AuthProvider) {
        self.policies = policies
        self.settings = settings
        keys = auth as? APIKeyAuth
    }

    /// - Parameters:
    ///   - bytes: the description, a JSON object.
    ///   - redis: where the counters are; nil: nothing is known of them.
    ///   - envelope: has the key by which counters are named.
    /// - Throws: a 400 that names the member at fault.
    package func explanation(
        of bytes: [UInt8], redis: RedisClient?, envelope: Envelope
    ) async throws(GatewayError) -> Explanation {
        let logger = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
        let rules = RequestRules(
            policies, settings: settings, names: CounterNames(envelope), logger: logger)
        let description = try rules.description(bytes, namesSender: true, maximumDepth: settings.http.maxJSONDepth)
        let account = try account(of: description.sender)
        let usage =
            redis.map { UsageSource.redis(RateReader(redis: $0)) } ?? .none(reason: "no Redis and key are configured")
        return await rules.explanation(of: description, from: account, view: .full, usage: usage)
    }

    private func account(of sender: RequestDescription.Sender) throws(GatewayError) -> Account? {
        switch sender {
        case .own: return nil
        case .account(let id, let user, let teams): return Account(id: id, user: user, teams: teams)
        case .key(let id):
            if let account = keys?.account(ofKey: id) { return account }
            throw .invalidRequest(
                code: "invalid_description",
                "The member `key` names no key of the clients'. Give the `id` of one in the file of API_KEYS_PATH.",
                param: "key")
        }
    }
}
