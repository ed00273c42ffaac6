internal import Common
internal import HTTPServing
internal import HTTPTypes

/// The names of the headers that tell what is left of a limit, as OpenAI's API has them.
enum RateHeaders: String, Sendable {
    case requests
    case tokens

    static let applied = HTTPField.Name(constant: AppliedConfigurations.name)

    /// Whether a header tells of a limit.
    static func isOne(_ name: HTTPField.Name) -> Bool { name.canonicalName.utf8.starts(with: prefix.utf8) }

    private static let prefix = "x-ratelimit-"
    private static let parts = ["limit", "remaining", "reset"]
    private static let requestNames = names(prefix, .requests)
    private static let tokenNames = names(prefix, .tokens)
    private static let upstreamRequestNames = names("x-upstream-ratelimit-", .requests)
    private static let upstreamTokenNames = names("x-upstream-ratelimit-", .tokens)

    /// The limit, what remains of it, and until more does.
    var own: [HTTPField.Name] { self == .requests ? Self.requestNames : Self.tokenNames }

    /// The same of what the provider says.
    var upstream: [HTTPField.Name] { self == .requests ? Self.upstreamRequestNames : Self.upstreamTokenNames }

    var remaining: HTTPField.Name { own[1] }

    private static func names(_ prefix: String, _ kind: Self) -> [HTTPField.Name] {
        parts.map { HTTPField.Name(constant: "\(prefix)\($0)-\(kind.rawValue)") }
    }
}
