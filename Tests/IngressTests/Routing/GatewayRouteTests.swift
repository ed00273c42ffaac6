import Common
import Foundation
import HTTPServing
import HTTPTypes
import TestSupport
import Testing

@testable import Ingress

/// Each line of the gateway's table, over HTTP.
@Suite(.timeLimit(.minutes(5))) struct GatewayRouteTests {
    private static let job = "01890a5d-ac96-774b-bcce-b302099a8057"
    private static let client = "Authorization: Bearer \(DashboardKeys.client)"
    private static let admin = "Authorization: Bearer \(DashboardKeys.admin)"

    /// A path that a route takes.
    private static func path(of route: GatewayRoute) -> String {
        let parts = route.path.description.split(separator: "{")
        guard let end = parts.dropFirst().first?.split(separator: "}").dropFirst().joined() else {
            return "\(route.path)"
        }
        return String(parts[0]) + (route.isParameter == nil ? "1-0" : job) + end
    }

    private static var calls: [(route: GatewayRoute, method: String, path: String)] {
        GatewayRoutes.table.routes.flatMap { route in
            route.allMethods.map { (route, $0.rawValue, path(of: route)) }
        }
    }

    /// The routes of each path.
    private static var paths: [(path: String, routes: [GatewayRoute])] {
        Dictionary(grouping: GatewayRoutes.table.routes, by: { UTF8Text(path(of: $0)) }).map { ($0.key.text, $0.value) }
    }

    @Test(arguments: ["", "/v1", "/project_id/main"])
    func `a route asks for a key unless it is open`(prefix: String) async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            for (route, method, path) in Self.calls {
                let isOpen = if case .open = route.handler { true } else { false }
                for headers in [[], ["Authorization: Bearer unknown"]] {
                    let answer = try await ingress.call(method, prefix + path, headers: headers)
                    // An open one may say that the gateway is not ready.
                    #expect((answer.status != 401) == isOpen, "\(answer.status) \(method) \(prefix)\(path)")
                }
            }
        }
    }

    @Test func `a route for operators lets no client in`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            for (route, method, path) in Self.calls {
                guard case .keyed(.operators, _) = route.handler, method != "HEAD" else { continue }
                // Which methods there are is for the operator too.
                for method in [method, "PUT"] {
                    let answer = try await ingress.call(method, path, headers: [Self.client])
                    #expect(answer.status == 403 && answer.error?.code == "operator_only", "\(method) \(path)")
                }
            }
        }
    }

    @Test func `another method of a path is refused or the backends`() async throws {
        try await LiveIngress.run({ $0.auth = DashboardKeys.auth }) { ingress in
            for (path, routes) in Self.paths {
                let stranger = try await ingress.call("PATCH", path, body: "{}")
                #expect(stranger.status == 401, "a key is looked at first: \(path)")
                async let reply = ingress.call("PATCH", path, headers: [Self.admin], body: "{}")
                let route = try #require(routes.first)
                if case .backend = route.others { try await ingress.forwarder.answer(next: 1) { $0.path } }
                let answer = try await reply
                switch route.others {
                case .backend: #expect(answer.status == 200 && answer.text == path)
                case .refused:
                    let methods = routes.flatMap(\.allMethods).map(\.rawValue)
                    #expect(answer.status == 405 && answer["allow"] == methods.joined(separator: ", "), "\(path)")
                case .answered where route.isParameter != nil:
                    #expect(answer.status == 404 && answer.error?.code == "unknown_job")
                case .answered: #expect(answer.status == 405 && answer["allow"] == "POST")
                }
            }
        }
    }

    @Test(arguments: [
        ("/health", "/health"), ("/health/", nil), ("/Health", nil), ("/metrics", "/metrics"), ("/metrics/", nil),
        ("/rollouts/a%2Fb", "/rollouts/{rollout_id}"), ("/rollouts/a/b", "/rollouts/{rollout_id}"),
        ("/rollouts/", "/rollouts/{rollout_id}"), ("/traces/pointwise", "/traces/pointwise"), ("/traces/x", nil),
        // A client is given no traces of a rollout that still runs: this is for pages alone.
        (RolloutQuery.tracePath, nil),
        ("/logs/requests/", "/logs/requests/{insertion_id}"), ("/logs/requests/a/b", "/logs/requests/{insertion_id}"),
        ("/logs/other", nil), ("/jobs", nil), ("/jobs/x", nil), ("/jobs/\(job)", "/jobs/{insertion_id}"),
        ("/jobs/\(job)/", nil), ("/queue/", nil), ("/queues", nil), ("/queue/deadly", nil),
        ("/queue/dead/", "/queue/dead/{entry}"), ("/queue/dead/1-0/delete", nil),
        ("/queue/dead/1-0/requeue", "/queue/dead/{entry}/requeue"), ("/queue/dead/1-0/requeue/x", nil),
    ])
    func `a path has a route`(path: String, pattern: String?) {
        let found =
            switch GatewayRoutes.table.match(.get, path) {
            case .route(let route, _): route.path.description
            case .otherMethods(let routes, _): routes[0].path.description
            case nil: String?.none
            }
        #expect(found == pattern)
    }

    @Test func `the documents name each route`() throws {
        let names = Set(
            GatewayRoutes.table.routes.flatMap { route in route.methods.map { UTF8Text("\($0.rawValue) \(route.path)") }
            })
        let documented = try DocumentedRoutes(of: "docs/api.md").names
        #expect(documented == names)
        let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? [String: Any]
        let paths = try #require(document?["paths"] as? [String: [String: Any]])
        var described: Set<UTF8Text> = []
        for (path, item) in paths where path != "/{path}" && !path.hasSuffix("/chat/completions") {
            for method in item.keys where method != "parameters" {
                described.insert(UTF8Text("\(method.uppercased()) \(path)"))
            }
        }
        #expect(described == names)
        #expect(names.count == GatewayRoutes.table.routes.count, "no route stands there twice")
    }
}
