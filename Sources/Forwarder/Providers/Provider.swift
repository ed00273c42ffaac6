internal import Common

/// What the table knows of one provider: where it is and how it wants to be called.
package struct Provider: Sendable, Equatable {
    /// The first segment of its models' names, such as `openai`.
    let prefix: String
    /// Where it is. Nil when each customer has a URL of their own.
    var url: URLTemplate?
    /// Variables that may hold the server's key, the first that is set wins.
    var keyVariables: [String] = []
    /// Variables that replace `url`, the first that is set wins.
    var baseVariables: [String] = []
    /// What a replaced `url` must end with.
    var baseSuffix = ""
    var keyHeader = KeyHeader.bearer
    /// Further headers of every call. `{key}` in a value stands for the key.
    var headers: [HeaderField] = []
    var isKeyOptional = false
    var modelRule = ModelRule.strip
    var chatPath = Self.chatCompletions
    /// Members of a request that it refuses.
    var rejectedMembers: Set<UTF8Text> = []

    static let chatCompletions = "/chat/completions"

    /// A server of the operator's own or the client's: OpenAI-compatible, a bearer key, or none.
    static func compatible(_ name: String) -> Provider { Provider(prefix: name, isKeyOptional: true) }
}
