internal import Common
internal import Policies

/// Decides where a job's call goes.
struct CallRouter: Sendable {
    let policy: RoutingPolicy

    /// An empty route leads to the model that the request names. So do those of calls to a URL that the client chose.
    func route(of job: Job, _ facts: RequestFacts) -> Route {
        guard !policy.isEmpty, job.baseURL == nil else { return Route() }
        var random = SystemRandomNumberGenerator()
        return policy.route(for: facts, using: &random)
    }
}
