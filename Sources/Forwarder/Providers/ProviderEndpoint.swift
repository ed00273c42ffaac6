internal import Common

/// The destination of one provider's or account's calls, and the server's key for them.
struct ProviderEndpoint: Sendable {
    /// The provider's prefix or the account's name.
    let name: String
    let provider: Provider
    /// The base URL; nil if the operator has not said where it is, and `repair` then says how to.
    let base: BaseURL?
    let repair: String
    let key: BoundKey?
    /// False for an account with a key of its own: it never carries a client's.
    let takesClientKeys: Bool
    /// The time for which an idle connection may be used again, in seconds. Nil: as the settings say.
    var idleConnectionSeconds: Int?
    /// Whether a call is made again if its kept connection closed without an answer.
    var repeatsOnClosedConnection = true
    /// Members that the operator's account refuses, beside those that all of the provider's do.
    var ownRejectedMembers: Set<UTF8Text> = []

    /// Members that the gateway must not add.
    var rejectedMembers: Set<UTF8Text> { provider.rejectedMembers.union(ownRejectedMembers) }

    /// The key of a call to `base`.
    /// - Parameter isAuthenticated: whether the client's bearer token is a key of this gateway.
    /// - Throws: 401 when there is none and the provider needs one.
    func credential(
        client: SecretString?, base: BaseURL, isAuthenticated: Bool = false
    ) throws(GatewayError) -> Credential {
        if takesClientKeys, let client { return .client(client) }
        if let key = key?.secret(for: base) { return .server(key) }
        if provider.isKeyOptional { return .none }
        let variable = provider.keyVariables.first.map { "\($0) in the gateway's environment or " } ?? ""
        throw GatewayError(
            status: 401, type: "authentication_error", code: "missing_provider_key",
            message:
                "No key for `\(name)`. Send your own \(ServerKeyPolicy.place(isAuthenticated: isAuthenticated)), or "
                + "have the operator set "
                + "\(variable)`provider_keys: {\(provider.prefix): …}` in secrets.yaml.",
            param: "authorization", shouldRetry: false)
    }
}
