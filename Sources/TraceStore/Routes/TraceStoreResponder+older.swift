internal import Common
internal import Hummingbird
internal import JSON

/// The older API's observations and sessions, and the project of the keys.
extension TraceStoreResponder {
    func olderObservations(_ call: StoreCall) async throws -> Response {
        var page = try OlderObservationRequest(call.query, project: call.project.number)
        page.query.madeBy = visible
        return Self.json(try await reader.observations(page, project: call.project.name))
    }

    func olderObservation(_ call: StoreCall) async throws -> Response {
        let query = ObservationQuery(project: call.project.number, madeBy: visible)
        guard let observation = try await reader.observation(call.id, project: call.project.name, query) else {
            throw LangfuseError.unknownObservation
        }
        return Self.json(observation)
    }

    func sessions(_ call: StoreCall) async throws -> Response {
        let page = try SessionRequest(call.query, project: call.project.number)
        return Self.json(try await reader.sessions(page, project: call.project.name))
    }

    func session(_ call: StoreCall) async throws -> Response {
        let query = TraceQuery(project: call.project.number, madeBy: visible)
        guard let session = try await reader.session(call.id, project: call.project.name, query) else {
            throw LangfuseError.unknownSession
        }
        return Self.json(session)
    }

    /// Answers the request by which SDKs check their keys.
    func projects(_ call: StoreCall) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("data") { writer in
                writer.array([call.project.name]) { writer, name in
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
