internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// A line of the trace store's table.
struct StoreRoute: TableRoute {
    enum Handler: Sendable {
        /// Needs no keys.
        case open(@Sendable (TraceStoreResponder) -> Response)
        /// Needs the keys of a project.
        case keyed(@Sendable (TraceStoreResponder, StoreCall) async throws -> Response)
    }

    let methods: [HTTPRequest.Method]
    let path: PathPattern
    /// The faults that a test may want of the route; nil: none.
    let fault: Faults.Route?
    let handler: Handler

    static func open(
        _ method: HTTPRequest.Method, _ path: PathPattern, fault: Faults.Route? = nil,
        handler: @escaping @Sendable (TraceStoreResponder) -> Response
    ) -> Self {
        Self(methods: [method], path: path, fault: fault, handler: .open(handler))
    }

    static func keyed(
        _ method: HTTPRequest.Method, _ path: PathPattern, fault: Faults.Route? = nil,
        handler: @escaping @Sendable (TraceStoreResponder, StoreCall) async throws -> Response
    ) -> Self {
        Self(methods: [method], path: path, fault: fault, handler: .keyed(handler))
    }

    /// No id is empty: what ends with the slash before it is not a page.
    func takes(_ parameter: String) -> Bool { path.hasParameter ? !parameter.isEmpty : true }
}

/// A request whose keys are known.
struct StoreCall: Sendable {
    let request: Request
    /// The path's parameter, decoded; empty if it has none.
    let id: String
    let project: (name: String, number: Int64)
    let logger: Logger

    var query: QueryParameters {
        get throws { try QueryParameters(request.uri.query) }
    }

    /// - Parameter parameter: as it came. Text that cannot be decoded stands for itself.
    init(_ request: Request, parameter: String, project: (name: String, number: Int64), _ logger: Logger) {
        self.request = request
        id = PercentDecoding.bytes(parameter[...].utf8).flatMap { String(validating: $0, as: UTF8.self) } ?? parameter
        self.project = project
        self.logger = logger
    }
}
