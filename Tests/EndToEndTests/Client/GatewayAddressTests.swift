import ArgumentParser
import Common
import Testing
import Upstream

@testable import GatewayCommand

/// The URL under which a command finds the gateway: as it is, or as an SDK has it.
@Suite struct GatewayAddressTests {
    /// What a question for `/rollouts` goes to.
    private func target(_ url: String?, project: String? = nil, environment: [String: String] = [:]) throws -> String {
        let arguments = (url.map { ["--url", $0] } ?? []) + (project.map { ["--project", $0] } ?? [])
        let client = try GatewayAddress.parse(arguments).client(environment, upstream: NoUpstream())
        return client.base.text + client.prefix + "/rollouts"
    }

    @Test(arguments: [
        ("http://g:4000", "http://g:4000/v1/rollouts"), ("http://g:4000/", "http://g:4000/v1/rollouts"),
        ("http://g:4000/v1", "http://g:4000/v1/rollouts"), ("http://g:4000/v1/", "http://g:4000/v1/rollouts"),
        ("https://g/llm/v1", "https://g/llm/v1/rollouts"), ("http://[::1]:4000/v1", "http://[::1]:4000/v1/rollouts"),
        ("http://g:4000/v1/project_id/p%20q", "http://g:4000/v1/project_id/p%20q/rollouts"),
        ("http://g:4000/project_id/p/v1", "http://g:4000/v1/project_id/p/rollouts"),
        ("http://g:4000/v1/chat/completions", "http://g:4000/v1/rollouts"),
        ("https://g/llm/v1/project_id/p/chat/completions/", "https://g/llm/v1/project_id/p/rollouts"),
        (
            "http://g:4000/rollout_id/r/invocation_id/i/experiment_id/e/run_id/u/row_id/w",
            "http://g:4000/v1/rollouts"
        ),
        (
            "http://g:4000/v1/project_id/p/rollout_id/r/invocation_id/i/experiment_id/e/run_id/u/row_id/w/v1",
            "http://g:4000/v1/project_id/p/rollouts"
        ),
    ])
    func `an SDK's URL works`(url: String, target expected: String) throws {
        #expect(try target(url) == expected)
        #expect(try target(nil, environment: ["GATEWAY_URL": url]) == expected)
    }

    @Test func `an empty variable counts as none`() throws {
        #expect(try target(nil, environment: ["GATEWAY_URL": "", "PORT": ""]) == "http://127.0.0.1:4000/v1/rollouts")
        #expect(try target(nil, environment: ["GATEWAY_URL": "", "PORT": "81"]) == "http://127.0.0.1:81/v1/rollouts")
        let client = try GatewayAddress.parse([]).client(["GATEWAY_API_KEY": ""], upstream: NoUpstream())
        #expect(client.key == nil)
    }

    @Test func `the project is named once`() throws {
        #expect(try target("http://g/v1", project: "p q") == "http://g/v1/project_id/p%20q/rollouts")
        #expect(try target("http://g/project_id/p", project: "p") == "http://g/v1/project_id/p/rollouts")
        #expect(throws: ValidationError.self) { try target("http://g/project_id/p", project: "q") }
        #expect(throws: ValidationError.self) { try target("g:4000") }
    }
}

private struct NoUpstream: UpstreamClient {
    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result { throw CancellationError() }
}
