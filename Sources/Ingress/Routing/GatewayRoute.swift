internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird

/// A line of the gateway's table.
struct GatewayRoute: TableRoute {
    /// The clients that are let in.
    enum Access: Sendable {
        /// A client of the project that the path names.
        case client
        /// The same. Where the path names no project, the query may (`project_id`).
        case queried
        case operators
    }

    typealias Answer = @Sendable (GatewayRoutes, AdmittedRequest) async throws -> Response

    enum Handler: Sendable {
        /// Needs no key.
        case open(@Sendable (GatewayRoutes) async -> Response)
        case keyed(Access, Answer)
    }

    /// The handling of the path with a method that none of its routes has.
    enum OtherMethods: Sendable {
        /// It is the backend's.
        case backend
        /// A 405 for those who are let in. Its message; nil: a list of the methods.
        case refused(String?)
        /// It has an answer of its own, for those who are let in.
        case answered(Answer)
    }

    let methods: [HTTPRequest.Method]
    let path: PathPattern
    let others: OtherMethods
    /// Whether the path's parameter may be this one; nil: any may.
    let isParameter: (@Sendable (String) -> Bool)?
    let handler: Handler

    static func open(
        _ method: HTTPRequest.Method, _ path: PathPattern,
        answer: @escaping @Sendable (GatewayRoutes) async -> Response
    ) -> Self {
        Self(methods: [method], path: path, others: .backend, isParameter: nil, handler: .open(answer))
    }

    static func keyed(
        _ method: HTTPRequest.Method, _ path: PathPattern, for access: Access = .client,
        else others: OtherMethods = .backend, where isParameter: (@Sendable (String) -> Bool)? = nil,
        answer: @escaping Answer
    ) -> Self {
        Self(
            methods: [method], path: path, others: others, isParameter: isParameter, handler: .keyed(access, answer))
    }

    static func operators(_ method: HTTPRequest.Method, _ path: PathPattern, answer: @escaping Answer) -> Self {
        keyed(method, path, for: .operators, else: .refused(nil), answer: answer)
    }

    func takes(_ parameter: String) -> Bool { isParameter?(parameter) ?? true }
}
