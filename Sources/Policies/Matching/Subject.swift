package import Common

/// Whom a rule is for.
package enum Subject: Sendable, Hashable {
    case everyone
    /// The `user` of the client's API key.
    case user(UTF8Text)
    /// One of the `teams` of the client's API key.
    case team(UTF8Text)
    /// The `account` of the client's API key.
    case account(UTF8Text)

    /// Whether a rule for this subject is for a caller.
    package func includes(_ caller: Caller) -> Bool {
        switch self {
        case .everyone: true
        case .user(let name): caller.user == name.text
        case .team(let name): caller.teams.contains(name.text)
        case .account(let name): caller.account == name.text
        }
    }
}

/// The client that a request comes from, as rules see it.
package struct Caller: Sendable {
    package var account: String?
    package var user: String?
    package var teams: [String]

    package init(account: String? = nil, user: String? = nil, teams: [String] = []) {
        self.account = account
        self.user = user
        self.teams = teams
    }
}
