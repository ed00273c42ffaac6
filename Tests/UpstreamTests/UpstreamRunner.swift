import TestSupport

@testable import Common
@testable import Upstream

/// Runs `body` with a client and a scripted server, and stops both.
func withUpstream<Result: Sendable>(
    configuration: CurlConfiguration = .init(), _ script: @escaping ScriptedServer.Script,
    _ body: @Sendable (CurlUpstream, ScriptedServer) async throws -> Result
) async throws -> Result {
    try await ScriptedServer.run(script) { server in
        let upstream = try CurlUpstream(configuration)
        upstream.start()
        defer { upstream.stop() }
        return try await body(upstream, server)
    }
}

/// A whole answer.
struct Answer: Sendable, Equatable {
    var status: Int
    var headers: [HeaderField]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

extension CurlUpstream {
    /// Makes a call and reads all of its answer.
    func answer(to request: UpstreamRequest) async throws -> Answer {
        try await withCall(request) { call in
            let head = try await call.head()
            return Answer(status: head.status, headers: head.headers, body: try await call.rest())
        }
    }

    func answer(to url: String) async throws -> Answer {
        try await answer(to: UpstreamRequest(method: "GET", url: url))
    }

    /// The error that a call ends with.
    func failure(of request: UpstreamRequest) async throws -> UpstreamError? {
        do {
            _ = try await answer(to: request)
            return nil
        } catch let error as UpstreamError {
            return error
        }
    }
}

extension UpstreamCall {
    /// What is left of the body.
    func rest() async throws -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try await next(minimum: 1) { body += piece }
        return body
    }
}
