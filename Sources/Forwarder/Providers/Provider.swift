internal import Common

/// An entry of the table of providers: where the provider is and how it wants to be called.
package struct Provider: Sendable, Equatable {
    /// The first segment of its models' names, such as `openai`.
    let prefix: String
    /// The provider's URL. Nil when each customer has a URL of their own.
    var url: URLTemplate?
    /// Variables that may hold the server's key. The first that is set wins.
    var keyVariables: [String] = []
    /// Variables that replace `url`. The first that is set wins.
    var baseVariables: [String] = []
    /// The required end of a replaced `url`.
    var baseSuffix = ""
    var keyHeader = KeyHeader.bearer
    /// Further headers of each call that carries a key. `{key}` in a value stands for the key.
    var headers: [HeaderField] = []
    var isKeyOptional = false
    var modelRule = ModelRule.strip
    var chatPath = Self.chatCompletions
    /// The beginnings of the paths of the provider's own API, beside OpenAI's.
    var nativePaths: [String] = []
    /// The header that takes the key, unchanged, on these paths.
    var nativeKeyHeader: KeyHeader?
    /// Whether those paths stand where `baseSuffix` begins.
    var nativeReplacesSuffix = false
    /// Members of a request that the provider refuses.
    var rejectedMembers: Set<UTF8Text> = []

    /// The header that takes the key in a call to `path`.
    func keyHeader(for path: String) -> KeyHeader { isNative(path) ? nativeKeyHeader ?? keyHeader : keyHeader }

    /// The base URL of a call to `path`.
    /// - Parameter base: the provider's, of OpenAI's API.
    func base(_ base: String, for path: String) -> String {
        nativeReplacesSuffix && isNative(path) && base.hasSuffix(baseSuffix)
            ? String(base.dropLast(baseSuffix.count)) : base
    }

    private func isNative(_ path: String) -> Bool { nativePaths.contains { path.hasPrefix($0) } }

    static let chatCompletions = "/chat/completions"

    /// A server of the operator's own or the client's: OpenAI-compatible, a bearer key, or none.
    static func compatible(_ name: String) -> Provider { Provider(prefix: name, isKeyOptional: true) }
}
