import Common
import Testing
import Upstream

@testable import Forwarder

extension Job {
    /// A chat completion with that model in its body.
    static func chat(
        _ model: String?, body: String? = nil, path: String = "/chat/completions", method: String = "POST",
        query: String? = nil,
        headers: [HeaderField] = [], key: String? = nil, baseURL: String? = nil, rollout: RolloutIDs? = nil,
        project: String = "local"
    ) throws -> Job {
        let id = try #require(InsertionID("0198f3a0-0000-7000-8000-000000000001"))
        let text = body ?? model.map { #"{"model":"\#($0)","messages":[{"role":"user","content":"hi"}]}"# } ?? ""
        return Job(
            insertionID: id, project: project, rollout: rollout, method: method, path: path, query: query,
            headers: headers,
            clientKey: key.map(SecretString.init), baseURL: baseURL, model: model, deadline: .past,
            responseKey: "gateway/responses/test",
            body: Array(text.utf8))
    }
}

extension ProviderDirectory {
    /// A directory over the embedded table.
    static func made(
        environment: [String: String] = [:], accounts: [ProviderAccount] = [], providerKeys: [String: String] = [:],
        projects: [Project] = [Project(name: "local")], settings change: (inout Settings) -> Void = { _ in }
    ) throws -> ProviderDirectory {
        var settings = Settings(role: .forwarder)
        change(&settings)
        let secrets = Secrets(
            projects: Dictionary(uniqueKeysWithValues: projects.map { (UTF8Text($0.name), $0) }),
            defaultProject: "local",
            providerKeys: Dictionary(texts: providerKeys.mapValues(SecretString.init)),
            accounts: Dictionary(uniqueKeysWithValues: accounts.map { (UTF8Text($0.name), $0) }))
        return try ProviderDirectory(table: .embedded(), settings: settings, secrets: secrets, environment: environment)
    }

    /// The call of a job whose project is traced.
    func resolve(_ job: Job) throws(GatewayError) -> Target { try resolve(job, isTraced: true) }
}

extension ProviderAccount {
    static func kind(_ prefix: String, named name: String, key: String? = nil) -> ProviderAccount {
        ProviderAccount(
            name: name, destination: .provider(prefix), key: key.map(SecretString.init), location: .file("secrets.yaml")
        )
    }

    static func server(_ url: String, named name: String, key: String? = nil) throws -> ProviderAccount {
        let base = try #require(BaseURL(url))
        return ProviderAccount(
            name: name, destination: .baseURL(base), key: key.map(SecretString.init), location: .file("secrets.yaml"))
    }
}

extension Target {
    var bodyText: String { String(decoding: request.body, as: UTF8.self) }
    func header(_ name: String) -> String? { request.headers.first(named: name) }

    /// All that leaves the gateway, for a search.
    var everything: String {
        "\(request.url)\n" + request.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + "\n" + bodyText
    }
}

/// The error of a call that must fail with a `GatewayError`.
func failure(_ call: () throws -> some Any) throws -> GatewayError {
    try #require(throws: GatewayError.self) { _ = try call() }
}
