import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// Which call follows a failed one by the rules, and after which pause.
@Suite struct CallPlanTests {
    private static let busy = Route.Failure.status(429)

    private static func job(_ steps: [Route.Step], options: CallOptions = CallOptions()) -> Job {
        var job = Job(
            insertionID: InsertionIDGenerator().next(), project: "local", method: "POST", path: "/chat/completions",
            model: "p/asked", deadline: .past, responseKey: "r", body: Array(#"{"model":"p/asked"}"#.utf8))
        job.route = Route(steps)
        job.options = options
        return job
    }

    /// A plan whose targets are named as their models.
    private static func plan(
        _ steps: [Route.Step], options: CallOptions = CallOptions(), limits: CallLimits = CallLimits()
    ) throws -> CallPlan {
        let job = job(steps, options: options)
        let resolve: (Job) throws(GatewayError) -> Target = { job in
            Target(provider: "p", model: job.model, request: UpstreamRequest(method: "POST", url: "http://p/"))
        }
        guard !steps.isEmpty else { return CallPlan(job, to: try resolve(job), limits: limits) }
        var routed = try #require(RoutedJob(job, resolve: resolve))
        return CallPlan(job, to: try routed.target(), routed: routed, limits: limits)
    }

    private static func failure(_ failure: Route.Failure, retryAfter: Duration? = nil) -> CallPlan.Failure {
        CallPlan.Failure(failure: failure, retryAfter: retryAfter, times: (1, 2))
    }

    /// Makes calls that all fail alike.
    /// - Returns: the model of each, and the pauses between them.
    private static func course(
        _ plan: inout CallPlan, _ failed: CallPlan.Failure, remaining: Duration = .seconds(300)
    ) throws -> (models: [String], pauses: [Duration]) {
        var (models, pauses) = ([String](), [Duration]())
        while models.count < 200 {
            _ = plan.request(within: remaining)
            models.append(plan.target.model ?? "")
            guard let pause = try plan.pause(after: failed, remaining: remaining, jitter: 1) else { break }
            pauses.append(pause)
        }
        return (models, pauses)
    }

    private static let steps: [Route.Step] = [
        .init("p/a", failures: [busy], retry: .init(attempts: 2, delay: 100, failures: [busy])),
        .init("p/b", failures: [busy]),
        .init("p/a", failures: [busy], retry: .init(attempts: 9, delay: 1, failures: [busy])),
    ]

    @Test func `a target is tried again and then the next`() throws {
        var plan = try Self.plan(Self.steps)
        let (models, pauses) = try Self.course(&plan, Self.failure(Self.busy))
        #expect(models == ["p/a", "p/a", "p/a", "p/b"])
        #expect(pauses == [.milliseconds(100), .milliseconds(200), .zero])
        #expect(plan.failures.map(\.model) == ["p/a", "p/a", "p/a"] && plan.calls == 4)
        #expect(plan.failures.allSatisfy { $0.failure == Self.busy && $0.began == 1 && $0.ended == 2 })
    }

    @Test func `what is not listed ends it`() throws {
        var plan = try Self.plan(Self.steps)
        let (models, _) = try Self.course(&plan, Self.failure(.status(500)))
        #expect(models == ["p/a"] && plan.failures.isEmpty)
    }

    @Test func `the clients retries are for targets without their own`() throws {
        let options = CallOptions(retry: .init(attempts: 1, delay: 10, failures: [Self.busy]))
        var plan = try Self.plan(Self.steps, options: options)
        #expect(try Self.course(&plan, Self.failure(Self.busy)).models == ["p/a", "p/a", "p/a", "p/b", "p/b"])
        var unrouted = try Self.plan([], options: options)
        #expect(try Self.course(&unrouted, Self.failure(Self.busy)).pauses == [.milliseconds(10)])
        #expect(unrouted.failures.map(\.model) == ["p/asked"])
    }

    @Test func `one budget bounds all calls`() throws {
        for most in 1...4 {
            var plan = try Self.plan(Self.steps, limits: CallLimits(calls: most))
            #expect(try Self.course(&plan, Self.failure(Self.busy)).models.count == most)
            #expect(!plan.mayGoOn)
        }
        var plan = try Self.plan([], limits: CallLimits(tries: 5, calls: 2))
        let unsent = UpstreamError(.connect, "refused", requestMayHaveBeenSent: false)
        _ = plan.request(within: .seconds(9))
        #expect(
            plan.next(after: unsent, .connectError, (1, 2), elapsed: .zero, remaining: .seconds(9))
                == .call(after: .milliseconds(100)))
        _ = plan.request(within: .seconds(9))
        guard case .giveUp = plan.next(after: unsent, .connectError, (1, 2), elapsed: .zero, remaining: .seconds(9))
        else {
            Issue.record("a third call was made")
            return
        }
    }

    @Test func `a pause that outlasts the request is not made`() throws {
        var plan = try Self.plan(Self.steps)
        #expect(
            try Self.course(&plan, Self.failure(Self.busy), remaining: .milliseconds(150)).models == [
                "p/a", "p/a", "p/b",
            ])
        var over = try Self.plan(Self.steps)
        #expect(try Self.course(&over, Self.failure(Self.busy), remaining: .zero).models == ["p/a"])
    }

    @Test func `what the provider asks to wait counts`() throws {
        for (wait, pauses) in [
            (1, [Duration.seconds(1), .seconds(1), .zero]), (60, [.seconds(60), .seconds(60), .zero]), (61, [.zero]),
        ] {
            var plan = try Self.plan(Self.steps)
            let failed = Self.failure(Self.busy, retryAfter: .seconds(wait))
            #expect(try Self.course(&plan, failed).pauses == pauses, "\(wait) s")
        }
    }

    @Test func `jitter shortens a pause by half at most`() throws {
        for (jitter, pause) in [(0.0, 50), (0.5, 75), (1, 100)] {
            var plan = try Self.plan(Self.steps)
            _ = plan.request(within: .seconds(9))
            #expect(
                try plan.pause(after: Self.failure(Self.busy), remaining: .seconds(9), jitter: jitter)
                    == .milliseconds(pause))
        }
    }

    @Test func `each call has the time that its client gives it`() throws {
        var plan = try Self.plan([], options: CallOptions(timeout: 1500))
        #expect(plan.request(within: .seconds(9)).timeouts.total == .milliseconds(1500))
        #expect(plan.request(within: .seconds(1)).timeouts.total == .seconds(1))
    }

    /// Only then is the beginning of an answer held back.
    @Test func `it knows whether a call may follow`() throws {
        #expect(try !Self.plan([]).mayGoOn)
        #expect(try Self.plan(Self.steps).mayGoOn)
        #expect(try !Self.plan([.init("p/a", failures: [.connectError, .timeout]), .init("p/b")]).mayGoOn)
        #expect(try Self.plan([.init("p/a", failures: [.streamError]), .init("p/b")]).mayGoOn)
        #expect(try !Self.plan([.init("p/a", failures: [.streamError]), .init("p/a")]).mayGoOn, "each has one turn")
        let options = CallOptions(retry: .init(attempts: 1, delay: 0, failures: [.streamError]))
        #expect(try Self.plan([], options: options).mayGoOn)
    }

    @Test(arguments: [
        ("retry-after", "2", 2000), ("Retry-After", "0.5", 1000), ("retry-after-ms", "1500", 1500),
        ("x-ms-retry-after-ms", "20", 20), ("retry-after", "soon", nil), ("retry-after", "-1", nil),
        ("retry-after", "1e300", nil), ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", nil),
    ])
    func `a wait is read`(name: String, value: String, milliseconds: Int?) {
        let head = UpstreamHead(status: 429, headers: [HeaderField(name, value)])
        #expect(RetryAfter.wait(head) == milliseconds.map { .milliseconds($0) })
        #expect(RetryAfter.wait(UpstreamHead(status: 200, headers: head.headers)) == nil)
    }
}
