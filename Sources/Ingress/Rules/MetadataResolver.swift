internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Policies

/// Resolves the metadata of requests, and checks it. A later source takes precedence over an earlier one.
struct MetadataResolver: Sendable {
    /// The facts about a request once all sources have been read.
    struct Resolved {
        var metadata: ResolvedMetadata
        /// The ids of the operator's rules that have set some of it.
        var rules: [String]
        /// Whether the request's headers allow its body and answer to be logged.
        var wishesLog = true
    }

    /// Headers that are read beside `X-TFY-METADATA`.
    private let headers: [MetadataHeader]
    /// The operator's rules; nil if there are none.
    private let policy: MetadataPolicy?

    init(headers: [MetadataHeader] = [], policy: MetadataPolicy = MetadataPolicy()) {
        self.headers = headers
        self.policy = policy.hasRules || !policy.overrides.isEmpty ? policy : nil
    }

    /// Whether requests that break a rule are refused.
    var enforces: Bool { policy?.mode == .enforce }

    /// The metadata of a request from its headers, the operator's rules and the client's key, in this order.
    /// - Throws: 400 for headers that cannot be read.
    func resolve(_ fields: HTTPFields, of account: Account?) throws(GatewayError) -> Resolved {
        let (carried, wishesLog) = try carried(by: fields)
        var resolved = resolve(carried, of: account)
        resolved.wishesLog = wishesLog
        return resolved
    }

    /// The same, from the metadata that headers carry.
    func resolve(_ carried: ResolvedMetadata, of account: Account?) -> Resolved {
        var metadata = carried
        let rules = policy?.override(&metadata, for: Caller(account)) ?? []
        guard let own = account?.metadata, !own.isEmpty else { return Resolved(metadata: metadata, rules: rules) }
        for (key, value) in own.sorted(by: { $0.key < $1.key })
        where MetadataLimits.fault(ofKey: key.text) == nil && MetadataLimits.fault(ofValue: value) == nil {
            metadata.set(key.text, to: value, from: .key)
        }
        return Resolved(metadata: metadata, rules: rules)
    }

    /// The rule that a request breaks. Requests that send nothing, such as for a list of models, need no metadata.
    /// - Parameter rollout: the ids of its path, which are looked at too.
    func violation(
        of metadata: ResolvedMetadata, _ rollout: RolloutIDs?, _ method: HTTPRequest.Method
    ) -> MetadataViolation? {
        guard let policy, policy.hasRules, method != .get, method != .head else { return nil }
        return policy.violation(of: metadata.adding(rollout))
    }

    private func carried(
        by fields: HTTPFields
    ) throws(GatewayError) -> (metadata: ResolvedMetadata, wishesLog: Bool) {
        var wishesLog = true
        if let config = fields[.loggingConfig] { wishesLog = try LoggingSwitch.read(config) }
        // Nearly all requests end here, after one look.
        guard !headers.isEmpty || fields.contains(.metadata) else { return (ResolvedMetadata(), wishesLog) }
        var carried = CarriedMetadata()
        let own = fields[values: .metadata]
        guard own.count <= 1 else {
            throw .invalidMetadata(CarriedMetadata.header, "the request has it \(own.count) times; send one object")
        }
        if let value = own.first { try carried.add(value) }
        for header in headers {
            for field in fields where CarriedMetadata.isCarrier(field.name.rawName, of: header) {
                try carried.add(field.value, named: field.name.rawName, of: header)
            }
        }
        // Either of the two that says no counts.
        return (carried.metadata, wishesLog && carried.wishesLog)
    }
}

extension HTTPField.Name {
    fileprivate static let loggingConfig = HTTPField.Name(constant: LoggingSwitch.header)
    fileprivate static let metadata = HTTPField.Name(constant: CarriedMetadata.header)
}
