import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Queue
@testable import Telemetry
@testable import Upstream

/// What is counted of a job's calls, as they come.
struct CallMeterTests {
    private static let busy = Route.Failure.status(429)

    private static func job(_ steps: [Route.Step] = []) -> Job {
        var job = Job(
            insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: "/chat/completions",
            model: "p/asked", deadline: .past, responseKey: "r", body: Array(#"{"model":"p/asked"}"#.utf8))
        job.route = Route(steps)
        job.metadata.set("team", to: "search", from: .header)
        return job
    }

    /// What is shown after a job whose calls `play` makes.
    private static func page(
        _ steps: [Route.Step] = [], models: [String] = [],
        _ play: (CallMeter, inout CallPlan, Job) throws -> Void
    ) throws -> String {
        let registry = MetricsRegistry()
        var settings = Settings(role: .forwarder)
        settings.metrics.models = models
        settings.metrics.metadataKeys = ["team"]
        let job = job(steps)
        let resolve: (Job) throws(GatewayError) -> Target = { job in
            let provider = job.model.map { String($0.prefix { $0 != "/" }) } ?? ""
            return Target(
                provider: provider, model: job.model, request: UpstreamRequest(method: "POST", url: "http://p/"))
        }
        var routed = RoutedJob(job, resolve: resolve)
        var plan = CallPlan(job, to: try routed?.target() ?? resolve(job), routed: routed, limits: CallLimits())
        do {
            let meter = CallMeter(ForwarderMetrics(registry, settings), of: job)
            #expect(RegistryText(registry).has("gateway_jobs_in_flight 1"))
            try play(meter, &plan, job)
        }
        let text = RegistryText(registry)
        #expect(text.has("gateway_jobs_in_flight 0"), "also of a job whose end was never told")
        #expect(text.has("gateway_queue_wait_seconds_count 1"))
        return text.text
    }

    private struct RegistryText {
        let text: String
        init(_ registry: MetricsRegistry) { text = "\n" + String(decoding: registry.exposition().bytes, as: UTF8.self) }
        func has(_ line: String) -> Bool { text.contains("\n\(line)\n") }
    }

    private static let end = ResponseSender.Ending(ResponseFrame(sequence: 1, end: .complete), succeeded: true)

    private static func expect(_ lines: [String], in page: String, _ place: SourceLocation = #_sourceLocation) {
        for line in lines { #expect(page.contains("\n\(line)\n"), "\(line) in \(page)", sourceLocation: place) }
    }

    @Test func `a model that the client alone names is other`() throws {
        let page = try Self.page { meter, plan, job in
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            meter.hears(.head(UpstreamHead(status: 200)))
            meter.hears(.piece(UpstreamPiece([1], isRest: true)))
            meter.ends(job, Self.end, stop: nil)
        }
        Self.expect(
            [
                #"gateway_calls_total{provider="p",model="other",outcome="succeeded"} 1"#,
                #"gateway_attempts_total{provider="p",result="2xx"} 1"#,
                #"gateway_call_duration_seconds_count{provider="p",model="other"} 1"#,
                #"gateway_time_to_first_token_seconds_count{provider="p",model="other"} 0"#,
                #"gateway_metadata_calls_total{key="team",value="search",outcome="succeeded"} 1"#,
            ], in: page)
        #expect(!page.contains("asked"))
    }

    @Test func `a stream of a listed model has its times and tokens`() throws {
        let page = try Self.page(models: ["p/asked"]) { meter, plan, job in
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            meter.hears(.head(UpstreamHead(status: 200, headers: [HeaderField("content-type", "text/event-stream")])))
            meter.hears(.piece(UpstreamPiece([1], isRest: false)))
            let usage = Array(#"{"prompt_tokens":9,"completion_tokens":5}"#.utf8)
            meter.usage = TokenUsage(ByteSlice(usage))
            meter.ends(job, Self.end, stop: nil)
        }
        Self.expect(
            [
                #"gateway_calls_total{provider="p",model="p/asked",outcome="succeeded"} 1"#,
                #"gateway_time_to_first_token_seconds_count{provider="p",model="p/asked"} 1"#,
                #"gateway_inter_token_seconds_count{provider="p",model="p/asked"} 1"#,
                #"gateway_tokens_total{provider="p",model="p/asked",direction="input"} 9"#,
                #"gateway_tokens_total{provider="p",model="p/asked",direction="output"} 5"#,
            ], in: page)
    }

    /// A retry and a fallback count for the provider that failed, the end for the one that had the last word.
    @Test func `retries and fallbacks are told`() throws {
        let steps: [Route.Step] = [
            .init(
                "a/one", rule: "r", failures: [Self.busy], retry: .init(attempts: 1, delay: 1, failures: [Self.busy])),
            .init("b/two", rule: "r", failures: [Self.busy]),
        ]
        let page = try Self.page(steps) { meter, plan, job in
            let failed = CallPlan.Failure(failure: Self.busy, times: (1, 2))
            for _ in 0..<2 {
                _ = plan.request(within: .seconds(1))
                meter.calls(plan)
                meter.hears(.head(UpstreamHead(status: 429)))
                let pause = try plan.pause(after: failed, remaining: .seconds(60), jitter: 1)
                #expect(pause != nil)
            }
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            meter.error = GatewayError(upstream: UpstreamError(.connectTimeout, "", requestMayHaveBeenSent: false))
            meter.ends(job, .init(nil, succeeded: false), stop: nil)
        }
        Self.expect(
            [
                #"gateway_retries_total{provider="a"} 1"#, #"gateway_fallbacks_total{provider="a"} 1"#,
                #"gateway_attempts_total{provider="a",result="4xx"} 2"#,
                #"gateway_attempts_total{provider="b",result="connect_error"} 1"#,
                #"gateway_calls_total{provider="b",model="b/two",outcome="failed"} 1"#,
                #"gateway_call_errors_total{code="connect_timeout"} 1"#,
            ], in: page)
    }

    /// The alert on dead letters sees an increase only in a series that is there before the first one.
    @Test func `dead letters are counted from zero, and without a target`() throws {
        let name = #"gateway_call_errors_total{code="dead_lettered"}"#
        let before = try Self.page { _, _, _ in }
        Self.expect(["\(name) 0"], in: before)
        let page = try Self.page { meter, _, job in
            meter.error = GatewayError(status: 502, type: "server_error", code: "dead_lettered", message: "")
            meter.ends(job, .init(nil, succeeded: false, deadLetterReason: "too often"), stop: nil)
        }
        Self.expect(["\(name) 1"], in: page)
        #expect(!page.contains("\ngateway_calls_total{"), "no call was made")
    }

    @Test func `a job that was handed back or called off is told apart`() throws {
        let released = try Self.page { meter, plan, job in
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            meter.releases(job)
        }
        Self.expect([#"gateway_calls_total{provider="p",model="other",outcome="released"} 1"#], in: released)
        let cancelled = try Self.page { meter, plan, job in
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            var wanted = job
            wanted.deadline = .distantFuture
            meter.ends(wanted, .init(nil, succeeded: false), stop: .cancelled)
        }
        Self.expect([#"gateway_calls_total{provider="p",model="other",outcome="cancelled"} 1"#], in: cancelled)
        #expect(!cancelled.contains("gateway_attempts_total"), "the provider did not fail")
    }

    /// It is ended as one that is not wanted any longer.
    @Test func `a call whose time is over has failed`() throws {
        let expired = try Self.page { meter, plan, job in
            _ = plan.request(within: .seconds(1))
            meter.calls(plan)
            meter.ends(job, .init(nil, succeeded: false), stop: .cancelled)
        }
        Self.expect([#"gateway_calls_total{provider="p",model="other",outcome="failed"} 1"#], in: expired)
    }
}
