internal import Common
internal import FoundationEssentials
internal import Ingress
internal import JSON
internal import Logging
internal import Policies
internal import Redis

extension Bootstrap {
    /// The longest wait for Redis, whose counters are shown if it can be had.
    private static let patience = Duration.seconds(1)

    /// The rules' decision on a described request, as indented JSON.
    /// - Throws: a 400 that names the member at fault.
    func explanation(of description: [UInt8]) async throws(GatewayError) -> [UInt8] {
        let check = RuleCheck(policies, settings: configuration.settings, auth: auth)
        guard let (endpoint, key) = counters else {
            // Nothing is looked up by these names.
            let envelope = Envelope(key: .random())
            return JSONText.indented(try await check.explanation(of: description, redis: nil, envelope: envelope).json)
        }
        let redis = RedisClient(endpoint, logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
        let found = await withTaskGroup(of: Result<Explanation, GatewayError>?.self) { group in
            group.addTask {
                try? await redis.run()
                return nil
            }
            group.addTask {
                // Without a connection by then, reading says so.
                try? await redis.waitUntilReady(timeout: Self.patience)
                do throws(GatewayError) {
                    return .success(
                        try await check.explanation(of: description, redis: redis, envelope: Envelope(key: key)))
                } catch {
                    return .failure(error)
                }
            }
            var found: Result<Explanation, GatewayError>?
            for await result in group where result != nil {
                found = result
                group.cancelAll()
            }
            return found
        }
        guard let found else { throw .notExplained }
        return JSONText.indented(try found.get().json)
    }

    /// The Redis of the counters, and the key by which they are named; nil: nothing is known of them. Those of a
    /// `serve` with a Redis of its own are in its folder.
    private var counters: (RedisEndpoint, GatewayKey)? {
        let settings = configuration.settings
        if var endpoint = RedisEndpoint(settings.redis) {
            guard let key = settings.secrets.gatewayKey else { return nil }
            endpoint.connectTimeout = min(endpoint.connectTimeout, Self.patience)
            return (endpoint, key)
        }
        let folder = settings.process.dataDirectory
        guard FileManager.default.fileExists(atPath: folder + "/redis.sock"),
            let key = settings.secrets.gatewayKey ?? DataDirectory.existingKey(in: folder)
        else { return nil }
        return (RedisEndpoint(.unix(path: folder + "/redis.sock")), key)
    }
}

extension GatewayError {
    fileprivate static let notExplained = GatewayError.internalError("the explanation was broken off; try again")
}
