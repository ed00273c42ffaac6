internal import Common

/// Whom a rule is for.
package enum Subject: Sendable, Equatable {
    case everyone
    /// The `user` of the client's API key.
    case user(String)
    /// One of the `teams` of the client's API key.
    case team(String)
    /// The `account` of the client's API key.
    case account(String)

    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.everyone, .everyone): true
        case (.user(let a), .user(let b)), (.team(let a), .team(let b)), (.account(let a), .account(let b)): a == b
        default: false
        }
    }

    /// Whether a rule for this subject is for a caller.
    package func includes(_ caller: Caller) -> Bool {
        switch self {
        case .everyone: true
        case .user(let name): caller.user == name
        case .team(let name): caller.teams.contains(name)
        case .account(let name): caller.account == name
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
