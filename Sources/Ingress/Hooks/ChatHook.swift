public import Common
public import HTTPTypes
internal import Policies

/// Looks at a chat completion before it is queued, and may change its body, its ids or its metadata. Hooks run in the
/// order in which they were given.
///
/// ```swift
/// struct NightlyRun: ChatHook {
///     func prepare(_ call: inout ChatCall) async throws {
///         guard call.account?.id == "nightly" else { return }
///         call.rollout?.run = "nightly"
///         call[metadata: "team"] = "evaluation"
///     }
/// }
/// ```
public protocol ChatHook: Sendable {
    /// - Throws: the error that the client is told; nothing is queued then. An error that is not a `GatewayError`
    ///   becomes a 500 without its text.
    func prepare(_ call: inout ChatCall) async throws
}

/// A chat completion on its way to the queue.
public struct ChatCall: Sendable {
    /// The request's body. What a hook leaves here is checked like a client's own body.
    public var body: [UInt8]
    /// The ids of the path; nil for a completion without a rollout.
    public var rollout: RolloutIDs?
    /// The base URL that the client chose, decoded, if any.
    public var baseURL: String?
    /// The project; already known to exist and to be allowed.
    public let project: String
    /// The account that asks, where the gateway authenticates.
    public let account: Account?
    /// The request's headers, to look at.
    public let headers: HTTPFields
    /// Metadata of the headers, of the operator's rules and of the client's key, and what hooks have set.
    package var metadata = ResolvedMetadata()

    /// The value of a key of the request's metadata, without the ids of the path, which are in `rollout`. Nil: there is
    /// none. A value that a hook sets is the gateway's own word (`metadata_from: gateway`), even where it is what the
    /// client has claimed. The rules look at what hooks leave; a key or value that no client may send is a 400.
    public subscript(metadata key: String) -> String? {
        get { metadata[key]?.value }
        set {
            if let newValue {
                metadata.set(key, to: newValue, from: .gateway)
            } else {
                metadata.remove(key)
            }
        }
    }

    public init(
        body: [UInt8], rollout: RolloutIDs?, baseURL: String?, project: String, account: Account?, headers: HTTPFields
    ) {
        self.body = body
        self.rollout = rollout
        self.baseURL = baseURL
        self.project = project
        self.account = account
        self.headers = headers
    }
}

extension ChatCall {
    /// - Throws: 400 for a key or a value of a hook's that no client may send.
    func checkMetadata() throws(GatewayError) {
        for entry in metadata.entries where entry.origin == .gateway {
            guard let fault = MetadataLimits.fault(ofKey: entry.key) ?? MetadataLimits.fault(ofValue: entry.value)
            else {
                continue
            }
            let key = MetadataLimits.shown(entry.key)
            throw .invalidRequest(
                code: "invalid_metadata",
                "A hook of this gateway sets metadata that cannot be taken: the key `\(key)` \(fault).",
                param: "metadata.\(key)")
        }
    }
}
