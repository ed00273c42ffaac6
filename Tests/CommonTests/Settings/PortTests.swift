import Testing

@testable import Common

/// Ports that two listeners would have, or that lead to the gateway's own trace store.
@Suite struct PortTests {
    private func problems(_ role: Role, _ environment: [String: String]) -> String {
        var variables = role == .serve ? environment : SettingsTests.required.merging(environment) { $1 }
        variables["SECRETS_PATH"] = ""
        return Configuration.check(role: role, environment: variables).map(\.description).joined(separator: "\n")
    }

    @Test(arguments: [
        (Role.serve, ["PORT": "4001"], "TRACESTORE_PORT: error: 4001 is PORT too"),
        (.serve, ["TRACESTORE_PORT": "4000"], "TRACESTORE_PORT: error: 4000 is PORT too"),
        (.serve, ["METRICS_PORT": "4001"], "METRICS_PORT: error: 4001 is TRACESTORE_PORT too"),
        (.serve, ["HOST": "0.0.0.0", "METRICS_PORT": "4000"], "METRICS_PORT: error: 4000 is PORT too"),
        (.ingress, ["METRICS_PORT": "4000"], "METRICS_PORT: error: 4000 is PORT too"),
        (.tracestore, ["METRICS_PORT": "4001"], "METRICS_PORT: error: 4001 is TRACESTORE_PORT too"),
        (
            .serve, ["LITELLM_URL": "http://127.0.0.1:4001"],
            "LITELLM_URL: error: leads to this gateway's own trace store"
        ),
        (.serve, ["LITELLM_URL": "http://localhost:5001", "TRACESTORE_PORT": "5001"], "own trace store"),
    ])
    func `a collision is named`(role: Role, environment: [String: String], words: String) {
        let told = problems(role, environment)
        #expect(told.contains(words), "\(told)")
    }

    @Test(arguments: [
        (Role.serve, ["PORT": "0", "TRACESTORE_PORT": "0", "METRICS_PORT": "0"]),
        (.forwarder, ["METRICS_PORT": "4001"]),
        (.ingress, ["PORT": "4001"]), (.ingress, ["HOST": "10.0.0.5", "METRICS_PORT": "4000"]),
        (.serve, ["PORT": "4001", "LANGFUSE_HOST": "http://langfuse:3000"]),
        (.serve, ["LITELLM_URL": "http://127.0.0.1:4001", "LANGFUSE_HOST": "http://langfuse:3000"]),
        (.serve, ["LITELLM_URL": "http://litellm:4001"]),
    ])
    func `what is apart is good`(role: Role, environment: [String: String]) {
        let told = problems(role, environment)
        #expect(!told.contains("error"), "\(told)")
    }
}
