internal import Common
internal import Hummingbird
internal import JSON

/// The older API's observations and sessions, and the project of the keys.
extension TraceStoreResponder {
    func olderObservations(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            var page = try OlderObservationRequest(QueryParameters(request.uri.query), project: number)
            page.query.madeBy = visible
            return Self.json(try await reader.observations(page, project: name))
        }
    }

    func olderObservation(_ id: String, _ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            let query = ObservationQuery(project: number, madeBy: visible)
            guard let observation = try await reader.observation(id, project: name, query) else {
                throw LangfuseError.unknownObservation
            }
            return Self.json(observation)
        }
    }

    func sessions(_ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            let page = try SessionRequest(QueryParameters(request.uri.query), project: number)
            return Self.json(try await reader.sessions(page, project: name))
        }
    }

    func session(_ id: String, _ request: Request) async throws -> Response {
        try allow(request, .get)
        let (name, number) = try project(request)
        return try await faults.answer(.traces) {
            let query = TraceQuery(project: number, madeBy: visible)
            guard let session = try await reader.session(id, project: name, query) else {
                throw LangfuseError.unknownSession
            }
            return Self.json(session)
        }
    }

    /// Answers the request by which SDKs check their keys.
    func projects(_ request: Request) throws -> Response {
        try allow(request, .get)
        let (name, _) = try project(request)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("data") { writer in
                writer.array([name]) { writer, name in
                    writer.object { writer in
                        writer.member("id", name)
                        writer.member("name", name)
                        writer.member("organization") { $0.raw(#"{"id":"local","name":"local"}"#) }
                        writer.member("metadata") { $0.raw("{}") }
                    }
                }
            }
        }
        return Self.json(writer.bytes)
    }
}
