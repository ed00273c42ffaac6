import Common
import TestSupport

/// Clients that call one after the other until they are told to stop, and what became of each call. Half of them ask
/// for streams.
actor RedisFaultLoad {
    /// How one call ended.
    struct Outcome: Sendable {
        var client: Int
        var began: ContinuousClock.Instant
        /// From the request to the end of its answer.
        var time: Duration
        /// What the answer's `x-insertion-id` says.
        var id = ""
        /// Nil where the connection ended before a whole answer had come.
        var status: Int?
        var code: String?
        /// Whether the body is this call's answer, each byte once and in order.
        var isRight = false

        var succeeded: Bool { status == 200 && isRight }
    }

    /// The one set of all their insertion ids.
    static let rollout = "faults"
    private static let path =
        "/rollout_id/\(rollout)/invocation_id/i1/experiment_id/e1/run_id/r1/row_id/1/chat/completions"

    private let port: Int
    private let clients: Int
    private var outcomes: [Outcome] = []
    private var isOver = false
    /// Clients that were refused, and call again when they are told to.
    private var refused: [CheckedContinuation<Void, Never>] = []

    private init(port: Int, clients: Int) {
        self.port = port
        self.clients = clients
    }

    /// Keeps the clients calling as long as `body` runs, and waits for their last answers.
    static func run(
        port: Int, clients: Int = 36, _ body: (RedisFaultLoad) async throws -> Void
    ) async throws -> [Outcome] {
        let load = RedisFaultLoad(port: port, clients: clients)
        return try await withThrowingTaskGroup { group in
            for client in 0..<clients { group.addTask { await load.callAgainAndAgain(client) } }
            let result: Result<Void, any Error>
            do { result = .success(try await body(load)) } catch { result = .failure(error) }
            await load.stop()
            try await group.waitForAll()
            try result.get()
            return await load.outcomes
        }
    }

    /// Waits until each client has had a success with a call that it began from now on. Of those that were refused, one
    /// tries again each time that it is looked; the others do when somebody has succeeded.
    func everyClientSucceeds(within limit: Duration = .seconds(60)) async throws {
        let start = ContinuousClock.now
        try await eventually(within: limit) {
            refused.popLast()?.resume()
            return succeeding(since: start) == clients
        }
    }

    /// Waits until so many more calls have succeeded.
    func successes(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        let before = outcomes.count(where: \.succeeded)
        try await eventually(within: limit) { successes() >= before + count }
    }

    /// One call as the clients make it, and nothing noted of it.
    static func call(port: Int, client: Int = 0) async -> Outcome {
        let isStream = client.isMultiple(of: 2)
        let body = #"{"model": "m", "stream": \#(isStream), "messages": [{"role": "user", "content": "\#(client)"}]}"#
        let began = ContinuousClock.now
        let answer = try? await withRawClient(to: port) { try await $0.call("POST", path, body: body) }
        var outcome = Outcome(client: client, began: began, time: began.duration(to: .now))
        guard let answer else { return outcome }
        outcome.id = answer["x-insertion-id"] ?? ""
        outcome.status = answer.status
        outcome.code = answer.error?.code
        outcome.isRight = answer.text == CountingProvider.answer(to: outcome.id, isStream: isStream)
        return outcome
    }

    private func callAgainAndAgain(_ client: Int) async {
        while !isOver {
            let outcome = await Self.call(port: port, client: client)
            outcomes.append(outcome)
            if outcome.succeeded {
                callAgain()
            } else if !isOver {
                await withCheckedContinuation { refused.append($0) }
            }
        }
    }

    private func callAgain() {
        for client in refused { client.resume() }
        refused = []
    }

    private func succeeding(since start: ContinuousClock.Instant) -> Int {
        Set(outcomes.lazy.filter { $0.succeeded && $0.began >= start }.map(\.client)).count
    }

    private func successes() -> Int { outcomes.count(where: \.succeeded) }

    private func stop() {
        isOver = true
        callAgain()
    }
}
