internal import Common

/// The bounds of what one verifier does at a time, shared fairly between projects.
///
/// Rounds over rollouts and answers with traces have permits of their own, as many each: an answer whose reader is slow
/// keeps its pages and its permit, and holds up no round.
package final class VerifierCapacity: Sendable {
    /// The longest wait for a permit that is not yet a trouble.
    static let tolerance = Duration.seconds(5)
    /// Entries that are being opened, or whose answer is being written to Redis.
    private static let passing = 64

    private let rounds: FairSemaphore
    private let answers: FairSemaphore
    private let waiters: WaiterLimit
    private let changed: QuestionSlot.Observer

    /// - Parameters:
    ///   - concurrency: rounds at a time, and answers with traces at a time (`VERIFIER_CONCURRENCY`).
    ///   - waiters: questions that wait at a time (`VERIFIER_WAITERS`).
    ///   - changed: told of what each question does.
    ///   - refused: told of each question that found no place to wait.
    init(
        concurrency: Int = 64, waiters: Int = 4096, changed: @escaping QuestionSlot.Observer = { _, _ in },
        refused: @escaping @Sendable () -> Void = {}
    ) {
        rounds = FairSemaphore(capacity: concurrency)
        answers = FairSemaphore(capacity: concurrency)
        self.waiters = WaiterLimit(capacity: waiters, refused: refused)
        self.changed = changed
    }

    /// The most questions that the verifier takes off the queue: more than can work and wait, so that one which finds
    /// no place is told so.
    package var mostQuestions: Int { rounds.capacity + answers.capacity + waiters.capacity + Self.passing }

    /// The number of questions that wait, for tests.
    var waiting: Int { waiters.count }

    /// For a question that needs a round.
    func roundSlot(for project: String) -> QuestionSlot { slot(for: project, of: rounds) }

    /// For a question that is answered with traces.
    func answerSlot(for project: String) -> QuestionSlot { slot(for: project, of: answers) }

    /// The reason why questions are held up or cut short; nil if none is.
    func takeTrouble(at now: ContinuousClock.Instant = .now) -> String? {
        let refusals = waiters.takeRefusals()
        if refusals > 0 {
            return
                "\(waiters.count) questions wait at a verifier, and further ones are answered with what is known, or "
                + "get a 503 (VERIFIER_WAITERS is \(waiters.capacity); a project has half of what is free at most)"
        }
        let longest = max(rounds.longestWait(at: now), answers.longestWait(at: now))
        guard longest > Self.tolerance else { return nil }
        return "a question has been waiting for its turn at a verifier for \(longest.components.seconds) s, and "
            + "\(rounds.queued + answers.queued) do in all (VERIFIER_CONCURRENCY is \(rounds.capacity))"
    }

    private func slot(for project: String, of permits: FairSemaphore) -> QuestionSlot {
        QuestionSlot(for: project, permits: permits, waiters: waiters, changed: changed)
    }
}

extension GatewayError {
    /// Neither a permit nor a place to wait was free in time.
    static let verifierBusy = GatewayError(
        status: 503, type: "server_error", code: "verifier_busy",
        message: "The verifiers are busy with other questions. Ask again later, or start more of them.",
        retryAfter: 5, shouldRetry: true)
}
