package import Common
internal import FoundationEssentials
package import Policies

/// Rules that a test writes.
package enum PolicyFixture {
    /// The limit that TrueFoundry's documentation shows.
    package static let requestLimit = """
        name: ratelimiting-config
        type: gateway-rate-limiting-config
        # The rules are evaluated in order, and all matching rules are considered.
        # If any one of them causes a rate limit, the corresponding ID will be returned.
        rules:
          - id: "openai-gpt4-dev-env"
            when:
              models: ["openai-main/gpt4"]
              metadata:
                env: dev
            limit_to: 1000
            unit: requests_per_day
        """

    /// Load balancing and fallback as TrueFoundry's documentation shows them, with what it leaves out filled in. The
    /// fallback is for a model of its own, since both would else meet the same requests.
    package static let routes = """
        name: loadbalancing-config
        type: gateway-load-balancing-config
        rules:
          - id: "llama-bedrock-customer1"
            when:
              models: ["bedrock/llama3"]
              metadata:
                customer-id: customer1
            load_balance_targets:
              - target: "azure/bedrock-llama3"
                weight: 60
              - target: "aws/bedrock-llama3"
                weight: 40
        ---
        name: model-fallback-config
        type: gateway-fallback-config
        rules:
          - id: "llama-bedrock-customer1-fallback"
            when:
              models: ["bedrock/fallback"]
              metadata:
                customer-id: customer1
              response_status_codes: [500, "429"]
            fallback_models: ["azure/llama3", {target: "aws/llama3"}]
        """

    /// Reads the rules of files in a folder of their own.
    package static func read(
        _ files: [(name: String, text: String)], asksForKeys: Bool = true
    ) throws -> Policies {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        for file in files { try Data(file.text.utf8).write(to: URL(filePath: "\(folder)/\(file.name)")) }
        return try PolicyReader.read(ConfigurationFile.all(at: folder), asksForKeys: asksForKeys)
    }

    package static func read(_ text: String, asksForKeys: Bool = true) throws -> Policies {
        try read([("gateway.yaml", text)], asksForKeys: asksForKeys)
    }

    package static func metadata(
        _ entries: [String: String], from origin: ResolvedMetadata.Origin = .header
    ) -> ResolvedMetadata {
        var metadata = ResolvedMetadata()
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) { metadata.set(key, to: value, from: origin) }
        return metadata
    }
}
