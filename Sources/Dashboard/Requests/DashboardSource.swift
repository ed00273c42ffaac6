package import Common

/// Answers the questions that pages are made of, as the gateway's API does: with the viewer's identity, and of one
/// project alone.
///
/// Some questions are answered to pages alone:
/// - which rules are in force (`/rules`);
/// - what the limits of these rules hold (`/rules/usage`);
/// - where the completions of a rollout are (`/rollouts/{rollout_id}/open`);
/// - one completion's trace while its rollout runs (`/traces/completion`).
///
/// What waits in the gateway (`/queue`, `/queue/dead`) is also answered to the operator's scripts.
package protocol DashboardSource: Sendable {
    /// Asks `GET path?query`.
    /// - Parameter path: of the API, without `/v1` and project.
    /// - Returns: the body of a 200.
    /// - Throws: what a client of the API would be told.
    func get(_ path: String, query: String?) async throws(GatewayError) -> [UInt8]

    /// Asks `POST path` what changes nothing.
    func post(_ path: String, body: [UInt8]) async throws(GatewayError) -> [UInt8]
}

/// The person who looks at the dashboard.
package struct Viewer: Sendable {
    /// The projects that the viewer may see, in the order in which they are shown.
    package var projects: [String]
    /// The account of the key that was given; nil where none was asked for.
    package var account: String?
    /// Whether there is a session to end.
    package var hasSession: Bool
    /// The token that the operator's forms must have; nil: the viewer may only look.
    package var formToken: FormToken?

    package init(
        projects: [String], account: String? = nil, hasSession: Bool = false, formToken: FormToken? = nil
    ) {
        self.formToken = formToken
        self.projects = projects
        self.account = account
        self.hasSession = hasSession
    }
}
