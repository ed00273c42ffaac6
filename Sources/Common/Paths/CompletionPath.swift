/// The meaning of a request's path. Parsing is pure: no project is looked up and no URL is judged.
///
/// The forms, each with or without a leading `/v1` and then `/project_id/{project_id}` (which may again be followed by
/// `/v1`):
///
///     /rollout_id/{}/invocation_id/{}/experiment_id/{}/run_id/{}/row_id/{}[/encoded_base_url/{}][/v1]/chat/completions
///     /chat/completions
///     anything else, which goes to the backend as it is
package struct CompletionPath: Sendable, Equatable {
    package enum Route: Sendable, Equatable {
        /// A completion of a rollout. `baseURL` is the client's choice, decoded but not yet judged.
        case rollout(RolloutIDs, baseURL: String?)
        /// A completion that belongs to no rollout.
        case completion
        /// Any other path: percent-encoded as it came, beginning with `/`, without version and project.
        case other(String)
    }

    /// The project that the path names, decoded. Nil means the default project.
    package let project: String?
    package let route: Route

    /// The path that is meant for the backend (`Job.path`).
    package var backendPath: String {
        if case .other(let path) = route { path } else { "/chat/completions" }
    }

    package var isRollout: Bool {
        if case .rollout = route { true } else { false }
    }

    /// Parses the path of a request target.
    /// - Parameter path: The path as it came, percent-encoded and without the query.
    /// - Throws: A 400 that names the segment at fault and shows the right form.
    package init(_ path: String) throws(GatewayError) {
        var segments = try PathSegments(path)
        segments.skip("v1")
        if segments.skip("project_id") {
            project = try segments.id("project_id")
            segments.skip("v1")
        } else {
            project = nil
        }
        route = try segments.route()
    }
}
