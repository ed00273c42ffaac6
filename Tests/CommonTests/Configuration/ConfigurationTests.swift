import Common
import FoundationEssentials
import Testing

struct ConfigurationTests {
    /// `serve`'s defaults with a secrets file that is not there, whatever the folder in which the tests run.
    static func defaults(in folder: TemporaryFolder, role: Role = .serve) -> Settings {
        var settings = Settings(role: role)
        settings.secrets.path = folder.path + "/secrets.yaml"
        return settings
    }

    @Test func `serve starts with nothing`() throws {
        try TemporaryFolder.with { folder in
            let configuration = try Configuration.load(over: Self.defaults(in: folder), environment: [:])
            #expect(configuration.secrets == .none)
            #expect(configuration.settings.backends.langfuse == .embedded)
            #expect(configuration.warnings.isEmpty)
        }
    }

    @Test(arguments: [
        ("langfuse_keys: {a: \(SecretsTests.keys)}", "", LangfuseHost.cloud),
        ("langfuse_keys: {a: \(SecretsTests.keys)}", "embedded", .embedded),
        ("accounts: {v: {kind: openai}}", "", .embedded), ("langfuse_keys: {a: }", "", .embedded),
    ])
    func `traces go to Langfuse when there are keys`(secrets: String, host: String, expected: LangfuseHost) throws {
        try TemporaryFolder.with { folder in
            _ = try folder.write(secrets)
            let configuration = try Configuration.load(
                over: Self.defaults(in: folder), environment: ["LANGFUSE_HOST": host])
            #expect(configuration.settings.backends.langfuse == expected)
            #expect(configuration.warnings.isEmpty)
        }
    }

    @Test func `a named secrets file must exist`() throws {
        try TemporaryFolder.with { folder in
            let path = folder.path + "/absent.yaml"
            let problems = Configuration.check(role: .serve, environment: ["SECRETS_PATH": path])
            #expect(problems.map(\.description) == ["\(path): error: cannot be opened: there is no such file"])
        }
    }

    @Test func `problems of the environment and of the files are told together`() throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write("accounts:\n  a: {kind: openai, key_env: NOPE}\n", mode: 0o640)
            let problems = Configuration.check(
                role: .forwarder, environment: ["SECRETS_PATH": path, "REDIS_PORT": "x", "GATEWAY_KEY": "x"])
            #expect(
                problems.map { "\($0.location): \($0.severity)" } == [
                    "environment: REDIS_PORT: error", "environment: GATEWAY_KEY: error",
                    "environment: REDIS_HOST: error", "\(path): warning",
                    "\(path):2:30: error",
                ])
            #expect(
                problems[3].message.hasSuffix("mode 0640 lets others than its owner at it; run `chmod 600 \(path)`"))
        }
    }

    @Test func `the ingress needs no provider keys`() throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write(
                "langfuse_keys: {p: \(SecretsTests.keys)}\naccounts:\n  a: {kind: openai, key_env: NOPE}\n")
            let environment = SettingsTests.required.merging(["SECRETS_PATH": path]) { $1 }
            #expect(Configuration.check(role: .ingress, environment: environment).isEmpty)
            #expect(Configuration.check(role: .forwarder, environment: environment).count == 1)
        }
    }

    @Test func `a project that cannot be traced is a warning`() throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write("langfuse_keys: {b: , a: }\ndefault_project_id: a\n")
            let environment = SettingsTests.required.merging(["SECRETS_PATH": path]) { $1 }
            let warnings = try Configuration.load(role: .forwarder, environment: environment).warnings
            #expect(
                warnings.map(\.description) == [
                    "environment: LANGFUSE_HOST: warning: project `a` and 1 more cannot be traced to https://us.cloud.langfuse.com: "
                        + "it has no `langfuse_keys` in \(path)"
                ])
        }
    }

    @Test(arguments: [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true), (0o620, true)])
    func `a secret's file that others can read is a warning`(mode: Int, warns: Bool) throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write("{}", mode: mode)
            #expect(try !Secrets(path: path, environment: [:]).warnings.isEmpty == warns)
        }
    }

    @Test func `only regular files of bounded size are read`() throws {
        try TemporaryFolder.with { folder in
            let limit = ConfigurationFile.sizeLimit
            let largest = try folder.write(String(repeating: "#", count: limit), to: "largest")
            #expect(try ConfigurationFile(reading: largest).bytes.count == limit)
            let larger = try folder.write(String(repeating: "#", count: limit + 1), to: "larger")
            for (path, reason) in [
                (larger, "is larger than"), (folder.path, "is not a regular file"),
                ("/dev/zero", "is not a regular file"),
            ] {
                let error = try #require(throws: ConfigurationError.self) { try ConfigurationFile(reading: path) }
                #expect(error.description.hasPrefix("\(path): error: \(reason)"))
            }
        }
    }
}
