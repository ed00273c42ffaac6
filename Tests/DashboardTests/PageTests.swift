import Common
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Dashboard

/// Answers from a table, and notes what was asked.
final class PlayedSource: DashboardSource {
    private let answers: [UTF8Text: String]
    private let asked = NIOLockedValueBox<[String]>([])

    init(_ answers: [(String, String)]) {
        self.answers = Dictionary(answers.map { (UTF8Text($0), $1) }, uniquingKeysWith: { $1 })
    }

    var questions: [String] { asked.withLockedValue { $0 } }

    func post(_ path: String, body: [UInt8]) async throws(GatewayError) -> [UInt8] {
        try await get(path, query: String(decoding: body, as: UTF8.self))
    }

    func get(_ path: String, query: String?) async throws(GatewayError) -> [UInt8] {
        asked.withLockedValue { $0.append(query.map { "\(path)?\($0)" } ?? path) }
        guard let answer = answers[UTF8Text(path)] else {
            throw .invalidRequest(404, code: "not_found", "no <b>\(path)</b>")
        }
        return Array(answer.utf8)
    }
}

struct PageTests {
    private static let id = "01a203ac-966f-708b-8461-f0092eb2af62"
    private static let hostile = #"<img src=x onerror=alert(1)>\"'&"#
    private static let shown = "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"
    private static let row = """
        {"insertion_id":"\(id)","time":"2026-11-22T19:26:39.120Z","project_id":"p","outcome":"succeeded","status":200,
        "rollout_id":"\(hostile)","row_id":"7","teams":["\(hostile)"],"metadata":{"\(hostile)":"\(hostile)"},
        "metadata_origins":{"\(hostile)":"header"},"path":"/chat/completions","model_asked":"\(hostile)","model":"\(hostile)",
        "error_code":"\(hostile)","rules":[],"retries":1,"stream":true,"latency_ms":900,"queue_wait_ms":100,
        "attempts":[{"number":1,"model":"a/m","failure":"\(hostile)","began_at":"2026-11-22T19:26:39.220Z",
        "ended_at":"2026-11-22T19:26:39.520Z"},{"number":2,"model":"b/m","failure":null,
        "began_at":"2026-11-22T19:26:39.520Z","ended_at":"2026-11-22T19:26:40.020Z"}]}
        """
    private static let metrics = """
        {"from":"2026-11-22T00:00:00.000Z","to":"2026-11-22T02:00:00.000Z","interval_ms":3600000,
        "total":{"requests":4,"errors":1},"groups":[{"group":{"metadata.k":"\(hostile)"},"total":{"requests":4,"errors":1},
        "points":[{"time":"2026-11-22T00:00:00.000Z","requests":4,"errors":1,"latency_p90":12}]}]}
        """

    private static let queue = """
        {"figures":{"gateway_jobs":7,"gateway_jobs_limit":10,"gateway_jobs_bytes":2048,"gateway_forwarders":2,
        "gateway_verifiers":1,"gateway_dead_letters":3,"gateway_trace_outbox_bytes":1048576,
        "gateway_trace_outbox_limit_bytes":1048576,"gateway_request_log_waiting_bytes":512,
        "gateway_redis_used_memory_bytes":2097152,"gateway_redis_maxmemory_bytes":4194304,"gateway_trace_store_refuses":1},
        "streams":[{"name":"completions","key":"gateway/jobs","length":7,"age_ms":61000,"groups":[{"name":"forwarders",
        "lag":4,"pending":3,"worker_count":3,"workers":[{"name":"\(hostile)","pending":2,"idle_ms":1200,"is_alive":true},
        {"name":"gone","pending":1,"idle_ms":99000,"is_alive":false}]}]},
        {"name":"requests","key":"gateway/requests","length":0,"age_ms":null,"groups":[]}]}
        """

    private static let loaded = """
        {"hash":"0123456789abcdef","is_hidden":false,"documents":[{"type":"gateway-rate-limiting-config","name":"\(hostile)",
        "file":"\(hostile)","line":3,"rules":[{"id":"\(hostile)","line":7}]}]}
        """
    private static let explanation = """
        {"decision":{"outcome":"refused","status":429,"code":"rate_limit_exceeded","rule":"\(hostile)"},
        "metadata":[{"key":"\(hostile)","value":"\(hostile)","origin":"header"}],
        "violation":{"key":"k","rule":"required","refuses":true,"message":"\(hostile)"},
        "rate_limits":[{"id":"daily","matches":true,"counts":true,"limit":1000,"unit":"requests_per_day","mode":"enforce",
        "name":"daily","amount":1,"usage":{"used":1000,"remaining":0,"reset_ms":5,"is_over":true}},
        {"id":"other","matches":false,"unmet":[{"part":"metadata.env","wants":"\(hostile)","found":"dev","origin":"header"},
        {"part":"models","found":null}],"counts":false,"limit":5,"unit":"tokens_per_minute","mode":"audit"}],
        "load_balancing":[{"id":"balance","matches":true,"decides":false,"targets":[{"target":"a/m","share":0.6},
        {"target":"b/m","share":0.4}]}],"fallback":[{"id":"fall","matches":true,"decides":true,
        "fallback_models":[{"target":"c/m"},{"target":"d/m"}],"response_status_codes":["429","500"]}],
        "logging":{"content":"whole","rules":[{"id":"quiet","matches":true,"log":false}]}}
        """

    /// - Parameter left: a path that is not answered.
    private static func source(without left: String? = nil) -> PlayedSource {
        PlayedSource(answers.filter { $0.0 != left })
    }

    private static var answers: [(String, String)] {
        [
            ("/logs/requests", #"{"data":[\#(row)],"next_cursor":"c/1"}"#), ("/logs/requests/\(id)", row),
            ("/logs/metadata", #"{"keys":["\#(hostile)"]}"#), ("/metrics/query", metrics),
            ("/ready", #"{"status":"ready","forwarders":1,"warnings":["\#(hostile)"]}"#),
            ("/queue", queue), ("/rules", loaded), ("/rules/explain", explanation),
            (
                "/rules/usage",
                #"{"counters":[{"rule":"\#(hostile)","name":"\#(hostile)","limit":10,"unit":"requests_per_hour","mode":"audit","used":8,"reset_ms":61000,"parts":[{"name":"metadata.\#(hostile)","value":"\#(hostile)"},{"name":"user","value":null}]}],"requests":7,"left_out":3,"hidden":1,"unknown":"\#(hostile)"}"#
            ),
            (
                "/logs/audit",
                #"{"data":[{"id":"\#(id)","time":"2026-11-22T19:26:39.120Z","kind":"dead_letter.requeued","actor":"\#(hostile)","project_id":"\#(hostile)","account":"\#(hostile)","user":"u","subject":"\#(id)","details":{"\#(hostile)":["\#(hostile)"],"count":3}},{"time":"2026-11-22T19:26:39.120Z","kind":"\#(hostile)","actor":"a","project_id":null,"account":null,"user":null,"subject":"\#(hostile)","details":{}}],"next_cursor":"c/1"}"#
            ),
            (
                "/queue/dead",
                #"{"letters":[{"entry":"1790000000000-0","time":"2026-11-22T19:26:39.120Z","reason":"\#(hostile)","insertion_id":"\#(id)","bytes":2048,"model":"\#(hostile)","path":"/x","refusal":null},{"entry":"1-1","time":"2026-11-22T19:26:39.120Z","reason":"r","insertion_id":null,"bytes":0,"model":null,"path":null,"refusal":"\#(hostile)"}],"next":"1790000000000-0"}"#
            ),
            (
                "/rollouts",
                #"{"rollouts":[{"rollout_id":"\#(hostile)","invocation_id":"i","experiment_id":"\#(hostile)","run_id":"r","last_completion_at":"2026-11-22T19:26:39.120Z","expected":2,"failed":1,"verdict":null}]}"#
            ),
            (
                "/rollouts/r",
                #"{"rollout_id":"r","verdict":"incomplete","expected":2,"traced":0,"in_flight":1,"failed":0,"missing":["\#(hostile)"],"checked_at":"2026-11-22T19:26:39.120Z"}"#
            ),
            (
                "/rollouts/r/open",
                #"{"open":[{"insertion_id":"\#(id)","since":"2026-11-22T19:26:39.120Z","stage":"running"},{"insertion_id":"b","since":"2026-11-22T19:26:39.120Z","stage":"waits"},{"insertion_id":"c","since":"2026-11-22T19:26:39.120Z","stage":"missing"}],"left_out":3}"#
            ),
            (
                "/logs",
                #"{"entries":[{"timestamp":"2026-11-22T19:26:39.120Z","message":"\#(hostile)","severity":"INFO"}]}"#
            ),
            (
                "/traces/completion",
                #"{"traces":[{"input":{"messages":[{"role":"\#(hostile)","content":"\#(hostile)"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://evil.test/x.png"}}]}],"tools":[{"type":"function","function":{"name":"\#(hostile)","parameters":{"a":1}}}]},"output":{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"x\": \"\#(hostile.utf8.map { $0 == 92 ? "\\\\\\" : String(UnicodeScalar($0)) }.joined())\"}"}}]}}]}"#
            ),
        ]
    }

    private func html(
        _ page: DashboardRoute.Page, _ query: String? = nil, asking source: PlayedSource = source(),
        token: FormToken? = nil
    ) async -> (DashboardResponse, String) {
        let response = await Dashboard(now: { 1_790_000_000_000 }).page(
            page, of: "p",
            for: Viewer(projects: ["p", "q"], account: Self.hostile, hasSession: true, formToken: token),
            query: query, asking: source)
        return (response, String(decoding: response.body, as: UTF8.self))
    }

    @Test(arguments: [
        DashboardRoute.Page.overview, .requests, .request(id), .metrics, .rollouts, .rollout("r"), .request("nothing"),
        .rollout("nothing"), .queue, .audit, .rules,
    ])
    func `no text is markup`(page: DashboardRoute.Page) async {
        let (response, html) = await html(page, page == .metrics ? "group_by=metadata.k" : nil)
        #expect(response.status == (page == .request("nothing") || page == .rollout("nothing") ? 404 : 200))
        #expect(!html.contains("<img src=x") && !html.contains("<b>/"))
        #expect(html.contains("</main>"), "the page is whole")
        #expect(!html.contains("{{"))
    }

    @Test func `the queue says who has what`() async {
        let (_, html) = await html(.queue)
        for text in [
            "Completions", "1 min 1 s", "alive", "gone", "and 1 more", "3 in all projects", Self.shown, "2 KiB",
            "/dashboard/projects/p/requests/\(Self.id)", "/dashboard/projects/p/queue?before=1790000000000-0",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(!html.contains("<form method=\"post\" action=\"/dashboard/projects"), "it shows, and does nothing")
    }

    /// The operator's forms hold the session's token; one letter is not queued again, and says why.
    @Test func `the operator has forms`() async {
        let token = FormToken(session: "s", envelope: Envelope(key: .random()))
        let (_, html) = await html(.queue, token: token)
        #expect(html.matches(of: /<form method="post" action="[^"]*\/queue\/[0-9-]+\/requeue">/).count == 1)
        #expect(html.matches(of: /<form method="post" action="[^"]*\/queue\/[0-9-]+\/delete">/).count == 2)
        #expect(html.ranges(of: "name=\"token\" value=\"\(token.text)\"").count == 3)
        #expect(html.contains("It is not queued again: \(Self.shown)."))
    }

    /// Anyone may send a person to an address: what it says is shown only where it is an id.
    @Test func `what was done is told`() async {
        let (_, html) = await html(.queue, "done=requeued&id=\(Self.id)")
        #expect(html.contains("The job is queued again.") && html.contains(">\(Self.id)</a>"))
        let (_, other) = await self.html(.queue, "done=requeued&id=call-0800-evil")
        #expect(other.contains("The job is queued again.") && !other.contains("evil"))
        let (_, unknown) = await self.html(.queue, "done=evil&id=\(Self.id)")
        #expect(!unknown.contains("role=\"status\"") && !unknown.contains("evil"))
    }

    @Test func `rules are shown with their places and hits`() async throws {
        let source = Self.source()
        let (_, html) = await html(.rules, "from=1h", asking: source)
        let asked = try #require(source.questions.first { $0.hasPrefix("/metrics/query") })
        #expect(asked.contains("rule[present]&from=1h&") && asked.contains("group_by=rule"))
        #expect(html.contains("0123456789abcdef") && html.contains("gateway-rate-limiting-config"))
        #expect(html.contains("\(Self.shown):7") && html.contains("Refused by limits"))
        #expect(!source.questions.contains { $0.hasPrefix("/rules/explain") }, "nothing is to be explained")
    }

    /// The store is asked twice at most; `/rules/usage` asks the log once itself.
    @Test(arguments: [
        DashboardRoute.Page.overview, .requests, .request(id), .metrics, .rollouts, .rollout("r"), .queue, .audit,
        .rules,
    ])
    func `a page asks the store twice at most`(page: DashboardRoute.Page) async {
        let source = Self.source()
        _ = await html(page, page == .metrics ? "group_by=metadata.k&from=24h" : nil, asking: source)
        let stored = ["/logs/requests", "/logs/metadata", "/logs/audit", "/metrics/query", "/traces", "/rules/usage"]
        let asked = source.questions.filter { question in stored.contains { question.hasPrefix($0) } }
        #expect(asked.count <= 2, "\(asked)")
        #expect(!source.questions.isEmpty)
    }

    @Test func `what limits hold is shown`() async {
        let (_, html) = await html(.rules)
        for text in [
            "8 of 10 requests per hour, audit only", ">80%<", "b-warn", "1 min 1 s", "(none)", "and 3 more",
            "One more counter belongs to a value", "by the latest 7 requests", Self.shown,
        ] {
            #expect(html.contains(text), "\(text)")
        }
    }

    @Test func `a request is explained`() async throws {
        let source = Self.source()
        let (_, html) = await html(.rules, "model=openai%2Fgpt&metadata=env%3Ddev%0D%0Ateam%3Da%3Db", asking: source)
        let asked = try #require(source.questions.first { $0.hasPrefix("/rules/explain") })
        #expect(
            asked == #"/rules/explain?{"model":"openai\/gpt","metadata":{"env":"dev","team":"a=b"}}"#
                || asked == #"/rules/explain?{"model":"openai/gpt","metadata":{"env":"dev","team":"a=b"}}"#)
        for text in [
            "refused: 429 rate_limit_exceeded by \(Self.shown)", "1,000 requests per day; used: 1,000",
            "this request counts 1, and is over the limit",
            "metadata.env is dev (from the header), wanted: \(Self.shown)",
            "models is not there", "matches, another one decides", "a/m 60%, b/m 40%", "after 429, 500: c/m, then d/m",
            "kept out of traces", #"value="openai/gpt""#,
        ] {
            #expect(html.contains(text), "\(text)")
        }
    }

    @Test(arguments: ["{", "{\"a\":1", "words", "a=1\na=2", "{} {}"]) func `unreadable metadata is told`(
        text: String
    ) async {
        let source = Self.source()
        let (response, html) = await html(
            .rules, FilterForm.query([("model", "m"), ("metadata", text)]), asking: source)
        #expect(response.status == 200 && html.contains("neither a JSON object nor lines"))
        #expect(!source.questions.contains { $0.hasPrefix("/rules/explain") })
    }

    @Test func `a rollout says where its completions are`() async {
        let (_, html) = await html(.rollout("r"))
        for text in [
            "its answer has begun", "waits to be sent", "is not to be found", "and 3 more",
            "/dashboard/projects/p/requests/\(Self.id)", Self.shown,
        ] {
            #expect(html.contains(text), "\(text)")
        }
    }

    @Test(arguments: [
        ("kind=prefix&value=night", "prefix=night"),
        ("kind=prefix&value=a&prefix=b&tag=run_id:r", "tag=run_id:r&prefix=a"),
        ("kind=run_id&value=r&prefix=b", "prefix=b&tag=run_id:r"),
        ("filter=tag%3Drun_id:a%250A%2501b&kind=prefix&value=", "tag=run_id:a%0A%01b"),
        ("kind=prefix&value=&prefix=b", "prefix=b"),
    ])
    func `rollouts are searched by their beginning`(form: String, query: String) async {
        let (response, _) = await html(.rollouts, form)
        #expect(response.status == 303)
        #expect(response.headers.contains { $0.value == "/dashboard/projects/p/rollouts?\(query)" })
        let source = Self.source()
        let (_, page) = await self.html(.rollouts, "prefix=night&tag=run_id:r", asking: source)
        #expect(source.questions.first == "/rollouts?tag=run_id:r&prefix=night&limit=50")
        #expect(page.contains("begins with night") && page.contains(#"name="filter" value="prefix=night""#))
    }

    @Test func `audit rows are filtered`() async throws {
        let source = Self.source()
        let (_, html) = await html(.audit, "kind=key.used&subject%5Bin%5D=a,b&from=24h&cursor=c%2F0", asking: source)
        #expect(
            source.questions == ["/logs/audit?kind=key.used&subject[in]=a,b&from=24h&limit=50&cursor=c/0"])
        #expect(html.contains("/audit?kind=key.used&amp;subject[in]=a,b&amp;from=24h&amp;cursor=c/1"))
        #expect(html.contains(#"<option value="key.used" selected>"#))
        #expect(html.contains(#"name="filter" value="subject[in]=a,b""#), "what the form has no field for is kept")
        #expect(html.contains("/dashboard/projects/p/requests/\(Self.id)") && html.contains("operator</bdi>"))
        #expect(html.contains(#"<span class="muted">count</span> <bdi>3</bdi>"#))
    }

    /// The address of a form's page has no empty fields.
    @Test func `the filter of audit rows is the address`() async {
        let (response, _) = await html(.audit, "kind=key.used&subject=&account=&user=&from=")
        #expect(response.status == 303)
        #expect(response.headers.contains { $0.value == "/dashboard/projects/p/audit?kind=key.used" })
    }

    /// Each figure leads to the page of the queue, and what is wrong is marked.
    @Test func `the overview says how the gateway is`() async {
        let (_, html) = await html(.overview)
        for text in [
            ">4<", "the oldest for 1 min 1 s", "2 KiB of requests", "1 verifier<", "512 B wait for the log",
            "of 4 MiB", "refuses", "3 dead letters",
        ] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(html.matches(of: /href="\/dashboard\/projects\/p\/queue"/).count == 7)
        #expect(html.contains("<strong class=\"t-bad\">1 MiB</strong>"))
    }

    /// Without it the page stands all the same.
    @Test func `the overview does without the queue`() async {
        let (response, html) = await html(.overview, asking: Self.source(without: "/queue"))
        #expect(response.status == 200 && !html.contains("tiles now"))
    }

    @Test func `a request has its way and its messages`() async throws {
        let source = Self.source()
        let (_, html) = await html(.request(Self.id), asking: source)
        for text in ["Attempt 1", "Attempt 2", "Queue", "300 ms", "500 ms", "header", Self.shown] {
            #expect(html.contains(text), "\(text)")
        }
        #expect(html.contains(#"<img src="data:image/png;base64,AAAA""#))
        #expect(!html.contains(#"src="https://evil.test"#), "a page loads nothing from elsewhere")
        #expect(html.contains("$GATEWAY_API_KEY"))
        let question = try #require(source.questions.first { $0.hasPrefix("/traces/completion") })
        #expect(question.contains("insertion_id=\(Self.id)") && question.contains("rollout_id:"))
    }

    @Test func `the filter of a form is the address`() async {
        let (response, _) = await html(.requests, "name=customer-id&operator=eq&value=acme&range=1h")
        #expect(response.status == 303)
        #expect(
            response.headers.contains { $0.value == "/dashboard/projects/p/requests?metadata.customer-id=acme&from=1h" }
        )
    }

    @Test func `pages go on with their filters`() async throws {
        let source = Self.source()
        let (_, html) = await html(.requests, "status=5xx&cursor=c%2F0", asking: source)
        #expect(html.contains("/dashboard/projects/p/requests?status=5xx&amp;cursor=c/1"))
        #expect(
            try #require(source.questions.first { $0.hasPrefix("/logs/requests") })
                == "/logs/requests?status=5xx&limit=50&cursor=c/0")
    }

    @Test func `links carry the range of the charts`() async throws {
        let (_, usual) = await html(.metrics)
        #expect(usual.contains(#"<a href="/dashboard/projects/p/requests?from=24h">Rows behind these</a>"#))
        #expect(usual.contains(#"<a href="/dashboard/projects/p/requests?from=24h">All</a>"#))
        let failed = "outcome[in]=failed,refused,dead_lettered"
        #expect(usual.contains("requests?\(failed)&amp;from=2026-11-22T00:00:00.000Z&amp;to=2026-11-22T01:00:00.000Z"))
        let (_, requests) = await html(.requests)
        #expect(requests.contains("/metrics?from=2026-11-22T19:26:39.120Z\">Chart these"))
    }

    @Test(arguments: [DashboardRoute.Page.metrics, .overview, .rules])
    func `a long range has few points`(page: DashboardRoute.Page) async throws {
        let source = Self.source()
        _ = await html(page, "from=90d", asking: source)
        let asked = try #require(source.questions.first { $0.hasPrefix("/metrics/query") })
        #expect(asked.contains("from=90d&") && asked.contains("interval=7d"))
    }

    /// Bars are links that a keyboard reaches, and each says what it is.
    @Test func `bars are reached without a pointer`() async {
        let (_, html) = await html(.metrics)
        #expect(
            html.contains("aria-label=\"Nov 22 00:00:00 UTC\nok: 3\nerrors: 1\"")
                && !html.contains("tabindex=\"-1\" aria"))
    }

    @Test func `a rollout's further completions are linked to`() async {
        let (_, html) = await html(.rollout("r"))
        #expect(html.contains("the newest 1; there are older ones"))
        #expect(html.contains(#"requests?rollout=r&amp;cursor=c/1">Older completions"#))
    }

    @Test func `charts lead to their rows`() async {
        let (_, html) = await html(.metrics, "group_by=metadata.k&from=2h")
        #expect(html.contains("requests?from=2026-11-22T00:00:00.000Z&amp;to=2026-11-22T01:00:00.000Z"))
        #expect(html.contains("metadata.k=%3Cimg"), "a group leads to the rows of its value")
    }

    @Test func `projects are chosen from those of the key`() async {
        let (_, html) = await html(.overview)
        #expect(html.contains(#"href="/dashboard/projects/q""#) && html.contains("Log out"))
    }

    @Test func `the command has no key and is one word`() {
        #expect(CurlText.quoted("it's `x` $HOME") == #"'it'\''s `x` $HOME'"#)
    }
}
