internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// The gateway's own routes, but for completions, which come before them (`GatewayPath`), and the dashboard's pages.
/// Behind them come a custom build's routes, and the backend has all that is left.
struct GatewayRoutes: Sendable {
    let authenticator: Authenticator
    let operators: Operators
    let connections: Connections
    let pages: StatusPages
    let rollouts: VerificationController
    let logs: LogController
    let queries: QueryController
    let rules: RulesController
    let queue: QueueController
    let jobs: JobController

    /// Paths stand here without `/v1` and project. `open` routes need no key; `keyed` ones are for clients of the
    /// project. `else` says what becomes of the path's other methods; without it they are the backend's.
    static let table = RouteTable<GatewayRoute>([
        .open(.get, "/health") { $0.pages.health },
        .open(.get, "/ready") { await $0.pages.readiness },
        .open(.get, "/openapi.json") { _ in OpenAPIPage.response },
        .keyed(.get, "/metrics") { routes, _ in await routes.pages.metrics.response },
        .keyed(.get, "/rollouts", for: .queried, else: getOnly) { try await $0.rollouts.page($1) },
        .keyed(.get, "/rollouts/{+rollout_id}", for: .queried, else: getOnly) { try await $0.rollouts.answer($1) },
        .keyed(.get, "/traces", for: .queried, else: getOnly) { try await $0.rollouts.answer($1) },
        .keyed(.get, "/traces/pointwise", for: .queried, else: getOnly) { try await $0.rollouts.answer($1) },
        .keyed(.get, "/logs") { try await $0.logs.entries($1) },
        .keyed(.post, "/logs") { try await $0.logs.add($1) },
        .keyed(.get, "/status") { try await $0.logs.status($1) },
        .keyed(.get, "/logs/requests", else: logGetOnly) { try await $0.query($1) },
        .keyed(.get, "/logs/requests/{+insertion_id}", else: logGetOnly) { try await $0.query($1) },
        .keyed(.get, "/logs/metadata", else: logGetOnly) { try await $0.query($1) },
        .keyed(.get, "/logs/audit", else: logGetOnly) { try await $0.query($1) },
        .keyed(.get, "/metrics/query", else: logGetOnly) { try await $0.query($1) },
        .keyed(.post, "/rules/explain", else: postOnly) { try await $0.rules.explain($1) },
        .keyed(.get, "/jobs/{insertion_id}", else: jobMethods, where: isJobID) { try await $0.jobs.fetch($1) },
        .keyed(.delete, "/jobs/{insertion_id}", else: jobMethods, where: isJobID) { try await $0.jobs.cancel($1) },
        .operators(.get, "/queue") { try await $0.queue.state($1) },
        .operators(.get, "/queue/dead") { try await $0.queue.list($1) },
        .operators(.delete, "/queue/dead/{entry}") { try await $0.queue.delete($1) },
        .operators(.post, "/queue/dead/{entry}/requeue") { try await $0.queue.requeue($1) },
    ])

    private static let getOnly = GatewayRoute.OtherMethods.refused("Rollouts and traces are read with GET.")
    private static let logGetOnly = GatewayRoute.OtherMethods.refused("The request log is read with GET.")
    private static let postOnly = GatewayRoute.OtherMethods.answered { _, _ in throw RulesController.wrongMethod }
    // Where a job is not there, or is another client's, the answer does not even tell that there are other methods.
    private static let jobMethods = GatewayRoute.OtherMethods.answered { try await $0.jobs.refuseMethod($1) }
    private static let isJobID: @Sendable (String) -> Bool = { InsertionID($0) != nil }

    private func query(_ call: AdmittedRequest) async throws -> Response {
        try await queries.respond(to: call, isOperators: authenticator.isOperator(call.admitted.account))
    }

    /// Answers a request by its route. This is a step of its own, so that its state takes no memory while a
    /// completion's client waits.
    /// - Parameters:
    ///   - path: without version and project.
    ///   - project: the one that the path names; nil: none.
    /// - Returns: nil if it is none of these routes.
    @inline(never)
    func respond(
        to request: Request, at path: String, project: String?, as id: InsertionID, _ context: GatewayContext
    ) async throws -> Response? {
        let (access, answer, parameter): (GatewayRoute.Access, GatewayRoute.Answer, String)
        switch Self.table.match(request.method, path) {
        case .route(let route, let found):
            switch route.handler {
            case .open(let answer): return await answer(self)
            case .keyed(let needed, let handler): (access, answer, parameter) = (needed, handler, found)
            }
        case .otherMethods(let routes, let found):
            guard let route = routes.first, case .keyed(let needed, _) = route.handler else { return nil }
            switch route.others {
            case .backend: return nil
            case .refused(let message):
                (access, answer, parameter) = (needed, { _, _ in Self.wrongMethod(of: routes, message) }, found)
            case .answered(let handler): (access, answer, parameter) = (needed, handler, found)
            }
        case nil: return nil
        }
        let call = AdmittedRequest(
            request: request, path: path, parameter: parameter, id: id,
            admitted: try await admit(request, for: access, project: project),
            connection: connections[context.channel], logger: context.logger)
        return try await answer(self, call)
    }

    private func admit(
        _ request: Request, for access: GatewayRoute.Access, project named: String?
    ) async throws(GatewayError) -> Authenticator.Admitted {
        var project = named
        if access == .queried, project == nil { project = try QueryItems(request.uri.query).value("project_id") }
        let admitted = try await authenticator.admit(request, project: project)
        if access == .operators { try operators.check(admitted.account) }
        return admitted
    }

    private static func wrongMethod(of routes: [GatewayRoute], _ message: String?) -> Response {
        let methods = routes.flatMap(\.allMethods).map(\.rawValue).joined(separator: ", ")
        var response = GatewayError.invalidRequest(
            405, code: "method_not_allowed", message ?? "This is not a method of this path, which has \(methods)."
        ).response
        response.headers[.allow] = methods
        return response
    }
}
