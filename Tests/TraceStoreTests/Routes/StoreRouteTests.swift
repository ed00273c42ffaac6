import Common
import HTTPServing
import HTTPTypes
import TestSupport
import Testing

@testable import TraceStore

/// Each line of the store's table, over HTTP.
@Suite(.timeLimit(.minutes(5))) struct StoreRouteTests {
    /// A path that a route takes.
    private static func path(of route: StoreRoute) -> String {
        String(route.path.description.split(separator: "{")[0]) + (route.path.hasParameter ? "7" : "")
    }

    private static var calls: [(route: StoreRoute, method: String, path: String)] {
        TraceStoreResponder.table.routes.flatMap { route in
            route.allMethods.map { (route, $0.rawValue, path(of: route)) }
        }
    }

    @Test func `a route asks for keys unless it is open`() async throws {
        try await LiveStore.run { store in
            for (route, method, path) in Self.calls {
                let isOpen = if case .open = route.handler { true } else { false }
                for project in [nil, "unknown"] {
                    let answer = try await store.call(method, path, project: project)
                    #expect(answer.status == (isOpen ? 200 : 401), "\(method) \(path)")
                }
            }
        }
    }

    @Test func `a path has the methods of its routes`() async throws {
        try await LiveStore.run { store in
            let paths = Dictionary(grouping: Self.calls, by: { UTF8Text($0.path) })
            for (path, calls) in paths {
                for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                    // A key is not looked at for a method that is not there.
                    let answer = try await store.call(method, path.text, project: nil)
                    let isThere = calls.contains { $0.method == method }
                    #expect((answer.status == 405) != isThere, "\(method) \(path.text): \(answer.status)")
                }
            }
        }
    }

    @Test(arguments: [
        "/api/public/health/", "/api/public//health", "/api/public/traces/", "/api/public/scores/",
        "/api/public/v2/scores/", "/api/public/v3/scores/7", "/api/public/Traces", "/api/public/sessions/", "/", "/api",
    ])
    func `a path is compared as it came`(path: String) async throws {
        try await LiveStore.run { store in
            for (method, project) in [("GET", "main"), ("DELETE", nil)] {
                let answer = try await store.call(method, path, project: project)
                #expect(answer.status == 404)
            }
        }
    }

    @Test func `an id may hold slashes and is decoded`() async throws {
        try await LiveStore.run { store in
            for (path, shown) in [("a/b", "a/b"), ("a%2Fb%20c", "a/b c"), ("%zz", "%zz"), ("a/", "a/")] {
                let answer = try await store.call("GET", "/api/public/traces/\(path)")
                #expect(answer.status == 404 && answer.text.contains("Trace \(shown) not found"), "\(answer.text)")
            }
        }
    }

    @Test func `the page names each route`() throws {
        let all = try DocumentedRoutes(of: "docs/tracestore.md", prefix: "/api/public").names
        let documented = all.filter { $0.text.contains(" /api/public/") }
        // The deletion of traces is there to be refused.
        let routes = TraceStoreResponder.table.routes.filter { route in
            route.methods != [.delete] || !route.path.description.hasPrefix("/api/public/traces")
        }
        let names = routes.flatMap { route in
            route.methods.map { UTF8Text("\($0.rawValue) \(route.path)") }
        }
        #expect(Set(names) == documented)
        #expect(names.count == 19)
    }
}
