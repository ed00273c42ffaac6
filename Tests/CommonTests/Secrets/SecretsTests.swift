import Common
import Testing

struct SecretsTests {
    static func read(
        _ text: String, environment: [String: String] = [:], role: Role = .serve
    ) throws(ConfigurationError) -> Secrets {
        try Secrets(
            parsing: YAMLDocument(parsing: Array(text.utf8), file: "secrets.yaml"), environment: environment, role: role
        )
    }

    static func problems(_ text: String) throws -> [String] {
        let error = try #require(throws: ConfigurationError.self) { try read(text) }
        return error.problems.map(\.description)
    }

    static let keys = "{public_key: pk-lf-1, secret_key: sk-lf-1}"

    @Test func `the reference's form is read`() throws {
        let secrets = try Self.read(
            """
            langfuse_keys:
              project-1:
                public_key: pk-lf-1
                secret_key: sk-lf-1
              project-2:
                public_key: pk-lf-2
                secret_key: sk-lf-2
            default_project_id: project-2
            """)
        #expect(secrets.projects.keys.sorted() == ["project-1", "project-2"])
        #expect(secrets.defaultProject == "project-2")
        let expected = LangfuseKeys(publicKey: SecretString("pk-lf-1"), secretKey: SecretString("sk-lf-1"))
        #expect(secrets.projects["project-1"] == Project(name: "project-1", langfuse: expected))
    }

    @Test(arguments: [
        "", "langfuse_keys:", "langfuse_keys: {}", "default_project_id: local", "provider_keys:\naccounts:\n",
    ])
    func `without keys there is the local project`(text: String) throws {
        #expect(try Self.read(text) == .none)
    }

    @Test func `the only project is the default`() throws {
        let secrets = try Self.read("langfuse_keys: {a: }")
        #expect(secrets.defaultProject == "a")
        #expect(secrets.projects == ["a": Project(name: "a")])
    }

    /// A variable in the place of a key, of either half of a pair.
    @Test(arguments: [
        ("{public_key: {env: PK}, secret_key: {env: SK}}", "pk-e:sk-e"),
        ("{public_key: pk-lf, secret_key: {env: SK}}", "pk-lf:sk-e"),
        ("{public_key: {env: PK}, secret_key: sk-lf}", "pk-e:sk-lf"),
        ("{secret_key: {env: SK}, public_key: {env: SK}}", "sk-e:sk-e"),
        ("{public_key: \"pk\", secret_key: {\"env\": \"SK\"}}", "pk:sk-e"),
    ])
    func `Langfuse keys may stand in the environment`(pair: String, expected: String) throws {
        let environment = ["PK": "pk-e", "SK": "sk-e"]
        for role in Role.allCases {
            let keys = try Self.read("langfuse_keys: {a: \(pair)}", environment: environment, role: role).projects["a"]?
                .langfuse
            #expect(
                keys.map { "\($0.publicKey.reveal()):\($0.secretKey.reveal())" } == (role == .ingress ? nil : expected),
                "\(role)")
        }
        #expect(
            try Self.read("langfuse_keys: {a: \(pair)}", role: .ingress).projects.keys.sorted() == ["a"],
            "an ingress needs no such variable")
    }

    @Test(arguments: [
        ("{env: NONE}", "not set"), ("{env: EMPTY}", "not set"), ("{env: }", "env"), ("{env: SPACE}", "visible ASCII"),
        ("{}", "env"),
        ("{variable: PK}", "variable"), ("[PK]", "text"), ("{env: PK, key: x}", "key"),
    ])
    func `a variable that holds no key is said`(value: String, expected: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try Self.read(
                "langfuse_keys: {a: {public_key: pk, secret_key: \(value)}}",
                environment: ["PK": "pk-e", "EMPTY": "", "SPACE": "a b"])
        }
        #expect(
            error.problems.count == 1 && "\(error.problems[0])".contains(expected)
                && "\(error.problems[0])".hasPrefix("secrets.yaml:1:"), "\(error)")
    }

    @Test func `keys and accounts are read`() throws {
        let text = """
            provider_keys:
              openai: sk-1
              groq: {env: MY_GROQ}
            accounts:
              openai-main: {kind: openai, key_env: MAIN}
              my-vllm: {base_url: "http://vllm:8000/v1/", key: sk-3}
              open: {base_url: "http://localhost:1"}
            """
        let secrets = try Self.read(text, environment: ["MY_GROQ": "gk", "MAIN": "sk-2"])
        #expect(secrets.providerKeys.mapValues { $0.reveal() } == ["openai": "sk-1", "groq": "gk"])
        #expect(
            secrets.accounts.mapValues { $0.key?.reveal() } == ["openai-main": "sk-2", "my-vllm": "sk-3", "open": nil])
        #expect(secrets.accounts["openai-main"]?.destination == .provider("openai"))
        #expect(secrets.accounts["openai-main"]?.location.description == "secrets.yaml:5:16")
        #expect(try secrets.accounts["my-vllm"]?.destination == .baseURL(#require(BaseURL("http://vllm:8000/v1"))))
        let withoutEnvironment = try Self.read(text, role: .ingress)
        #expect(withoutEnvironment.providerKeys.keys.sorted() == ["openai"])
        #expect(withoutEnvironment.accounts["openai-main"]?.key == nil)
    }

    @Test func `an account says how its connections are used`() throws {
        let accounts = try Self.read(
            """
            accounts:
              own: {kind: openai, idle_connection_seconds: 0, repeat_on_closed_connection: false}
              usual: {kind: openai, idle_connection_seconds: , repeat_on_closed_connection: }
            """
        ).accounts
        #expect(accounts["own"]?.idleConnectionSeconds == 0 && accounts["own"]?.repeatsOnClosedConnection == false)
        #expect(accounts["usual"]?.idleConnectionSeconds == nil && accounts["usual"]?.repeatsOnClosedConnection == true)
    }

    @Test func `accounts say what they refuse`() throws {
        let text = "accounts: {a: {base_url: 'http://a/v1', rejects: [stream_options]}, b: {kind: openai, rejects: []}}"
        let accounts = try Self.read(text).accounts
        #expect(accounts["a"]?.rejectedMembers == ["stream_options"] && accounts["b"]?.rejectedMembers == [])
    }

    @Test(arguments: [
        ("[]", "secrets.yaml:1:1: error: the file must be a mapping"),
        ("langfuse_key: {}", "secrets.yaml:1:1: error: unknown key `langfuse_key`. Did you mean `langfuse_keys`?"),
        ("langfuse_keys: {a: {public_key: p}}", "secrets.yaml:1:20: error: `langfuse_keys.a` needs `secret_key`"),
        (
            "langfuse_keys: {a: {public_key: p, secret_key: ''}}",
            "secrets.yaml:1:48: error: `langfuse_keys.a.secret_key` has no value"
        ),
        (
            "langfuse_keys: {a: {public_key: p, secret_key: [x]}}",
            "secrets.yaml:1:48: error: `langfuse_keys.a.secret_key` must be text, but is a list"
        ),
        (
            "langfuse_keys: {a/b: \(keys)}",
            "secrets.yaml:1:17: error: a name in `langfuse_keys` must be 1 to 128 characters, without `/`"
        ),
        ("langfuse_keys: {\"a\\tb\": \(keys)}", "secrets.yaml:1:17: error: a name in `langfuse_keys`"),
        ("langfuse_keys: {a: , b: }", "secrets.yaml:1:1: error: `default_project_id` is missing"),
        (
            "langfuse_keys: {alpha: , b: }\ndefault_project_id: alpa",
            "secrets.yaml:2:21: error: `default_project_id` is `alpa`, which is not in `langfuse_keys`; did you mean `alpha`?"
        ),
        ("provider_keys: [a]", "secrets.yaml:1:16: error: `provider_keys` must be a mapping"),
        ("provider_keys: {openai: }", "secrets.yaml:1:25: error: `provider_keys.openai` has no value"),
        (
            "provider_keys: {openai: {env: NOPE}}",
            "secrets.yaml:1:31: error: `provider_keys.openai.env` names the variable `NOPE`, which is not set"
        ),
        ("accounts: {a: {key: x}}", "secrets.yaml:1:15: error: `accounts.a` needs either `kind`"),
        ("accounts: {a: {kind: openai, base_url: http://a}}", "secrets.yaml:1:15: error: `accounts.a` needs either"),
        (
            "accounts: {a: {kind: openai, key: x, key_env: Y}}",
            "secrets.yaml:1:47: error: `accounts.a` has both `key` and `key_env`"
        ),
        (
            "accounts: {a: {base_url: 'ftp://a'}}",
            "secrets.yaml:1:26: error: `accounts.a.base_url` must be an http or https URL"
        ),
        (
            "accounts: {a: {kind: o, idle_connection_seconds: 3601}}",
            "secrets.yaml:1:50: error: `accounts.a.idle_connection_seconds` must be a whole number from 0 to 3600"
        ),
        (
            "accounts: {a: {kind: o, idle_connection_seconds: '4'}}",
            "secrets.yaml:1:50: error: `accounts.a.idle_connection_seconds` must be a whole number"
        ),
        (
            "accounts: {a: {kind: o, repeat_on_closed_connection: maybe}}",
            "secrets.yaml:1:54: error: `accounts.a.repeat_on_closed_connection` must be true or false"
        ),
        (
            "accounts: {a: {kind: o, rejects: [stream_option]}}",
            "secrets.yaml:1:35: error: the gateway adds no member `stream_option` to requests, so `rejects` cannot "
                + "name it; it adds `stream_options`; did you mean `stream_options`?"
        ),
        (
            "accounts: {a: {kind: o, rejects: stream_options}}",
            "secrets.yaml:1:34: error: `accounts.a.rejects` must be a list"
        ),
        ("accounts: {a: {knd: openai}}", "secrets.yaml:1:16: error: unknown key `knd`. Did you mean `kind`?"),
    ])
    func `wrong shapes are named with their place`(text: String, message: String) throws {
        let problems = try Self.problems(text)
        #expect(problems.count == 1 && problems[0].hasPrefix(message), "\(problems)")
    }

    @Test func `all errors are told together`() throws {
        let problems = try Self.problems(
            """
            langfuse_keys: {a: {public_key: p}, b: x}
            default_project_id: c
            provider_keys: {o: []}
            accounts: {z: {}}
            foo: 1
            """)
        let places = problems.map { $0.split(separator: ":")[1...2].joined(separator: ":") }
        #expect(places == ["5:1", "1:20", "1:40", "2:21", "3:20", "4:15"])
    }

    @Test func `nothing shows a key`() throws {
        let text =
            "langfuse_keys: {a: {public_key: canary, secret_key: canary}}\nprovider_keys: {o: canary}\naccounts: {b: {kind: o, key: canary}}"
        var dumped = ""
        dump(try Self.read(text), to: &dumped)
        #expect(!dumped.contains("canary") && dumped.contains("***"))
    }

    @Test(arguments: [
        "provider_keys: canary", "accounts: canary", "langfuse_keys: [canary]", "provider_keys: {o: 'can ary'}",
        "accounts: {a: canary}",
        "accounts: {a: {base_url: canary}}", "langfuse_keys: {a: {public_key: canary}}",
        "langfuse_keys: {a: {public_key: [canary], secret_key: canary}}",
        "provider_keys: {o: canary", "provider_keys: {o: \"canary\\q\"}", "provider_keys: {o: canary: canary}",
    ])
    func `no error shows a key`(text: String) throws {
        #expect(try !Self.problems(text).joined().contains("canary"))
    }

    @Test func `a thousand projects are fine`() throws {
        let projects = (0..<1000).map { "  project-\($0): \(Self.keys)\n" }.joined()
        let secrets = try Self.read("langfuse_keys:\n\(projects)default_project_id: project-999\n")
        #expect(secrets.projects.count == 1000)
        #expect(secrets.defaultProject == "project-999")
    }

    @Test(arguments: [(128, true), (129, false)])
    func `names are bounded`(length: Int, isRight: Bool) {
        #expect(ConfigurationName.isValid(String(repeating: "é", count: length)) == isRight)
    }
}
