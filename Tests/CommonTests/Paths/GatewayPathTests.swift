import Testing

@testable import Common

@Suite struct GatewayPathTests {
    static let ids = RolloutIDs(rollout: "r", invocation: "i", experiment: "e", run: "u", row: "w")
    static let metadata = "/rollout_id/r/invocation_id/i/experiment_id/e/run_id/u/row_id/w"
    static let prefixes: [(text: String, project: String?)] = [
        ("", nil), ("/v1", nil), ("/project_id/p", "p"), ("/v1/project_id/p", "p"), ("/project_id/p/v1", "p"),
        ("/v1/project_id/p/v1", "p"),
    ]

    @Test(arguments: prefixes) func `reads every form behind every prefix`(prefix: String, project: String?) throws {
        let forms: [(String, GatewayPath.Route)] = [
            ("/chat/completions", .completion), ("/chat/completions/", .completion),
            ("\(Self.metadata)/chat/completions", .rollout(Self.ids, baseURL: nil)),
            ("\(Self.metadata)/chat/completions/", .rollout(Self.ids, baseURL: nil)),
            ("\(Self.metadata)/v1/chat/completions", .rollout(Self.ids, baseURL: nil)),
            ("\(Self.metadata)/encoded_base_url/aHR0cDovL2E/chat/completions", .rollout(Self.ids, baseURL: "http://a")),
            (
                "\(Self.metadata)/encoded_base_url/aHR0cDovL2E/v1/chat/completions",
                .rollout(Self.ids, baseURL: "http://a")
            ),
            ("/health", .other("/health")), ("/traces/pointwise", .other("/traces/pointwise")),
            ("/models/a%20b/", .other("/models/a%20b/")),
            ("/chat/completions/x", .other("/chat/completions/x")), ("/chat", .other("/chat")), ("/", .other("/")),
            ("/rollout_idx/r", .other("/rollout_idx/r")), ("/V1/models", .other("/V1/models")),
        ]
        for (form, route) in forms {
            let path = try GatewayPath(prefix + form)
            #expect(path.project == project && path.route == route, "\(prefix)\(form)")
        }
    }

    @Test(arguments: ["/v1", "/v1/", "/project_id/p", "/v1/project_id/p/v1/"]) func `takes nothing for the root`(
        path: String
    ) throws {
        #expect(try GatewayPath(path).route == .other("/"))
    }

    @Test func `gives the path for the backend`() throws {
        #expect(try GatewayPath("/v1\(Self.metadata)/chat/completions/").backendPath == "/chat/completions")
        #expect(try GatewayPath("/v1/chat/completions").backendPath == "/chat/completions")
        #expect(try GatewayPath("/v1/project_id/p/models/x%2Dy").backendPath == "/models/x%2Dy")
    }

    static let goodIDs: [(written: String, id: String)] = [
        ("a", "a"), ("a%20b", "a b"), ("%252F", "%2F"), ("%25", "%"), ("a+b", "a+b"), ("%C3%A9", "é"),
        ("%f0%9f%98%80", "😀"), ("...", "..."),
        ("a:b;c=d,e@f!$&'()*~", "a:b;c=d,e@f!$&'()*~"), ("%5C", "\\"), ("%7B%7D*%22'", "{}*\"'"),
        ("rollout_id", "rollout_id"), ("v1", "v1"),
        (String(repeating: "x", count: 128), String(repeating: "x", count: 128)),
        (String(repeating: "%F0%9F%98%80", count: 128), String(repeating: "😀", count: 128)), ("%C2%A0", "\u{A0}"),
    ]

    @Test(arguments: goodIDs) func `decodes an ID once`(written: String, id: String) throws {
        #expect(try GatewayPath("/project_id/\(written)/models").project == id)
        let path = try GatewayPath(
            "/rollout_id/\(written)/invocation_id/i/experiment_id/e/run_id/u/row_id/\(written)/chat/completions")
        #expect(
            path.route
                == .rollout(RolloutIDs(rollout: id, invocation: "i", experiment: "e", run: "u", row: id), baseURL: nil))
    }

    static let badIDs = [
        "", "%", "%2", "%zz", "a%2Gb", "%2F", "a%2fb", ".", "..", "%2e", "%2E.", "%00", "%0A", "%0d", "%1F", "%7F",
        "%C2%80", "%C2%9F", "%E2%80%A8",
        "%E2%80%A9", "%FF", "%C3", "%C0%AF", "%ED%A0%80", String(repeating: "x", count: 129),
        String(repeating: "%C3%A9", count: 129),
    ]

    @Test(arguments: badIDs) func `refuses a bad ID naming its segment`(id: String) {
        let names = ["project_id", "rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"]
        for name in names {
            let ids = names.map { "/\($0)/\($0 == name ? id : "x")" }.joined()
            let error = #expect(throws: GatewayError.self) { try GatewayPath("/v1\(ids)/chat/completions") }
            #expect(error?.status == 400 && error?.code == "invalid_path" && error?.param == name)
            #expect(
                error?.message.contains(
                    "/rollout_id/{rollout_id}/invocation_id/{invocation_id}/experiment_id/{experiment_id}") == true)
        }
    }

    static let broken: [(path: String, param: String)] = [
        ("/project_id", "project_id"), ("/project_id/", "project_id"),
        ("/v1/project_id//chat/completions", "project_id"),
        ("/project_id/p/project_id/q/chat/completions", "project_id"), ("/rollout_id", "rollout_id"),
        ("/rollout_id/", "rollout_id"),
        ("/rollout_id/r", "invocation_id"), ("/rollout_id/r/", "invocation_id"),
        ("/rollout_id/r//invocation_id/i", "invocation_id"),
        ("/rollout_id/r/chat/completions", "invocation_id"),
        ("/rollout_id/r/invocation_id/i/chat/completions", "experiment_id"),
        ("/rollout_id/r/experiment_id/e/invocation_id/i/run_id/u/row_id/w/chat/completions", "invocation_id"),
        ("/rollout_id/r/rollout_id/r/chat/completions", "rollout_id"), ("/rollout_id/r/project_id/p", "project_id"),
        ("/invocation_id/i/chat/completions", "rollout_id"), ("/experiment_id/e", "rollout_id"),
        ("/run_id/u", "rollout_id"),
        ("/row_id/w", "rollout_id"), ("/encoded_base_url/aHR0cDovL2E/chat/completions", "rollout_id"),
        (metadata, "chat/completions"),
        ("\(metadata)/", "chat/completions"), ("\(metadata)/chat", "chat/completions"),
        ("\(metadata)/embeddings", "chat/completions"),
        ("\(metadata)/chat/completions//", "chat/completions"), ("\(metadata)/chat/completions/x", "chat/completions"),
        ("\(metadata)/traces", "chat/completions"), ("\(metadata)/row_id/w/chat/completions", "row_id"),
        ("\(metadata)/v1/v1/chat/completions", "chat/completions"),
        ("\(metadata)/encoded_base_url", "encoded_base_url"),
        ("\(metadata)/encoded_base_url//chat/completions", "encoded_base_url"),
        ("\(metadata)/encoded_base_url/aHR0cDovL2E", "chat/completions"),
        ("\(metadata)/encoded_base_url/YQ/encoded_base_url/YQ/chat/completions", "encoded_base_url"),
        ("\(metadata)/encoded_base_url/chat/completions", "encoded_base_url"),
    ]

    @Test(arguments: broken) func `refuses a broken metadata path naming the segment`(path: String, param: String) {
        let error = #expect(throws: GatewayError.self) { try GatewayPath(path) }
        #expect(error?.status == 400 && error?.param == param)
        #expect(error?.message.contains("/row_id/{row_id}[/encoded_base_url/{base64url}]/chat/completions") == true)
    }

    static let encodedURLs: [(written: String, url: String?)] = [
        ("aHR0cHM6Ly94LnkvdjE_", "https://x.y/v1?"), ("aHR0cHM6Ly94LnkvdjE%2F", "https://x.y/v1?"),
        ("aHR0cHM6Ly94LnkvdjE%2f", "https://x.y/v1?"),
        ("aHR0cDovL2E=", "http://a"), ("aHR0cDovL2E%3D", "http://a"), ("aHR0cDovL2E", "http://a"), ("fn5-", "~~~"),
        ("fn5%2B", "~~~"),
        ("fn5+", "~~~"),
        ("aHR0cDovL2I_", "http://b?"), ("=", nil), ("a", nil), ("aHR0c", nil), ("aHR0!", nil), ("a=HR0", nil),
        ("http:%2F%2Fa", nil), ("%FF", nil),
        ("%zz", nil), ("_w", nil), ("w6k", "é"), ("w6k%0A", nil), ("w6%20k", nil),
    ]

    @Test(arguments: encodedURLs) func `decodes the base URL`(written: String, url: String?) throws {
        let path = "\(Self.metadata)/encoded_base_url/\(written)/chat/completions"
        guard let url else {
            let error = #expect(throws: GatewayError.self) { try GatewayPath(path) }
            #expect(error?.status == 400 && error?.param == "encoded_base_url")
            return
        }
        #expect(try GatewayPath(path).route == .rollout(Self.ids, baseURL: url))
    }

    static let dangerous = [
        "", "models", "*", "http://h/models", "//", "//models", "/a//b", "/a//", "/v1//models", "/.", "/..", "/a/./b",
        "/a/../b", "/a/..", "/%2e",
        "/%2E%2e/b", "/a/.%2e", "/v1/../rollout_id/r", "/a%2Fb", "/a%2fb", "/models%2Fa", "/x/models/a%2Fb",
        "/models/%2Fb", "/models/a%2F",
        "/models/a%2F%2e%2E", "/models/..%2Fa", "/models/a%2F%2Fb", "/models/a%5Cb", "/a\\b", "/a%5Cb", "/a%0D%0Ab",
        "/a%00",
        "/a%1f", "/a%7F", "/a%", "/a%2",
        "/a%zz", "/a b", "/a\r\nb", "/a\u{0}", "/é", "/a\u{7F}", "/a?b", "/a#b", "/rollout_id/é", "/a\u{2028}",
    ]

    @Test(arguments: dangerous) func `refuses a path that readers take differently`(path: String) {
        let error = #expect(throws: GatewayError.self) { try GatewayPath(path) }
        #expect(error?.status == 400 && error?.code == "invalid_path" && error?.param == nil)
    }

    @Test(arguments: [
        "/a/...", "/a/%252e%252e", "/a/.b", "/a%252Fb", "/a%E9", "/a%C3%A9", "/openai/deployments/x/chat/completions",
        "/a;b=c/d:e@f", "/models/a%2Fb", "/models/a%2fb%2Fc:d", "/models/a/b%2Fc", "/models/a%2Fb/",
    ])
    func `passes other paths unchanged`(path: String) throws {
        #expect(try GatewayPath("/v1\(path)").route == .other(path))
    }

    /// A mistaken path may hold what is nobody's business, as an encoded URL with a password does.
    @Test func `repeats nothing of the clients in its errors`() {
        for path in [
            "/rollout_id/r/canary", "/rollout_id/canary%zz", "/rollout_id/canary%00",
            "\(Self.metadata)/encoded_base_url/canary!", "/canary//",
        ] {
            let error = #expect(throws: GatewayError.self) { try GatewayPath(path) }
            #expect(error?.description.contains("canary") == false)
        }
    }
}
