/// An account of the operator's at a provider, under a name that models are addressed by: `name/model`.
package struct ProviderAccount: Sendable, Equatable {
    /// The place to which the account's calls go.
    package enum Destination: Sendable, Equatable {
        /// A built-in provider, by its prefix such as `openai`.
        case provider(String)
        /// A server of the operator's own that speaks OpenAI's API.
        case baseURL(BaseURL)
    }

    /// 1–128 characters, no `/`, no control characters.
    package var name: String
    package var destination: Destination
    /// The account's own key, already read from the environment where `key_env` names a variable. Nil: the account has
    /// none, and the client's key is used. A role that calls no provider does not read the environment and sees nil for
    /// `key_env` too.
    package var key: SecretString?
    /// The account's location in its file, for errors that only the table of providers can find.
    package var location: ConfigurationProblem.Location
    /// The time for which an idle connection may be used again, in whole seconds; 0: never. Nil:
    /// `UPSTREAM_IDLE_CONNECTION_SECONDS`.
    package var idleConnectionSeconds: Int?
    /// Whether a call is made again, once, whose kept connection the provider closed without a byte of an answer.
    /// It may then be paid for twice.
    package var repeatsOnClosedConnection = true
    /// Members that the account's server refuses, so that the gateway must not add them to requests.
    package var rejectedMembers: [String] = []

    /// The members that the gateway adds to requests to accounts.
    static let addedMembers = ["stream_options"]

    /// The idle times that may be set.
    static let idleConnectionSeconds = 0...3600

    package init(
        name: String, destination: Destination, key: SecretString? = nil, location: ConfigurationProblem.Location
    ) {
        self.name = name
        self.destination = destination
        self.key = key
        self.location = location
    }
}
