package import HTTPTypes

/// A line of a ``RouteTable``.
package protocol TableRoute: Sendable {
    /// The methods that it answers; who takes `GET` takes `HEAD` too.
    var methods: [HTTPRequest.Method] { get }
    var path: PathPattern { get }

    /// Whether a parameter may be one of this route. If not, the path is another one.
    func takes(_ parameter: String) -> Bool
}

extension TableRoute {
    package func takes(_ parameter: String) -> Bool { true }

    /// The methods with what they bring along.
    package var allMethods: [HTTPRequest.Method] { methods.flatMap { $0 == .get ? [.get, .head] : [$0] } }
}

/// Finds the route of a request. Ingress and trace store have one each, which lists all that they answer.
///
/// Hummingbird's router serves a custom build's own routes (`Extensions.routes`), but not these, since it answers in
/// other ways than their clients rely on. It ignores slashes at the end and empty segments, decodes parameters, and
/// lets none hold a slash. It has a 404 for a path that is there with another method. It also reads the path from the
/// request, where the ingress looks behind a version and a project.
package struct RouteTable<Route: TableRoute>: Sendable {
    package enum Match {
        case route(Route, parameter: String)
        /// The routes of a path that has other methods.
        case otherMethods([Route], parameter: String)
    }

    package let routes: [Route]

    package init(_ routes: [Route]) { self.routes = routes }

    /// - Parameter path: as it came, percent-encoded, without the query.
    /// - Returns: nil if no route has the path.
    package func match(_ method: HTTPRequest.Method, _ path: String) -> Match? {
        var (others, found): ([Route], String) = ([], "")
        for route in routes {
            guard let parameter = route.path.parameter(in: path), route.takes(parameter) else { continue }
            if route.allMethods.contains(method) { return .route(route, parameter: parameter) }
            others.append(route)
            found = parameter
        }
        return others.isEmpty ? nil : .otherMethods(others, parameter: found)
    }
}
