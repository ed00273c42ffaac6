internal import Common
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Upstream

/// Asks the default provider for its models when a call turns on them, and remembers the answer for a while.
///
/// One question is under way at a time, and all calls that turn on it wait for the same answer. A model that was listed
/// before does not wait for a newer list.
final class ModelListCache: Sendable {
    typealias Completion = @Sendable (ListedModels) -> Void

    private struct State {
        /// The URL of the list that the other members are about.
        var url = ""
        var models = ListedModels.unknown
        /// The time of the last answer, or of the last failure.
        var heardAt: ContinuousClock.Instant?
        /// The knowledge of models that are not in `models`, which may be out of date; nil if they are certainly not
        /// listed.
        var doubt: ListedModels?
        var isAsking = false
        var waiting: [(model: String, completion: Completion)] = []

        /// The answer about a model. A list that could not be renewed says nothing of a model that is not in it.
        func listed(for model: String) -> ListedModels { models.contains(model) ? models : doubt ?? models }
    }

    /// The next step for a call.
    private struct Decision {
        /// The answer for the call; nil if it waits.
        var answer: ListedModels?
        var asks = false
        /// Calls that waited for the list of another place.
        var outdated: [Completion] = []
    }

    private let upstream: any UpstreamClient
    private let maximumAge: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    /// - Parameter maximumAge: an older answer, or failure, is asked for again.
    init(
        upstream: any UpstreamClient, maximumAge: Duration,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, logger: Logger
    ) {
        self.upstream = upstream
        self.maximumAge = maximumAge
        self.now = now
        self.logger = logger
    }

    /// Finds the list on which a model turns.
    /// - Parameters:
    ///   - request: asks for the list.
    ///   - eventLoop: the loop on which this is called, and `completion` too: at once if the list is known.
    func find(
        _ model: String, asking request: UpstreamRequest, on eventLoop: any EventLoop,
        completion: @escaping Completion
    ) {
        let decision = state.withLockedValue { state in
            decide(&state, model: model, url: request.url) { listed in eventLoop.execute { completion(listed) } }
        }
        for outdated in decision.outdated { outdated(.unavailable) }
        if let answer = decision.answer { completion(answer) }
        guard decision.asks else { return }
        _ = upstream.start(
            request, patience: nil, on: eventLoop,
            to: ModelListReceiver { [self] listed in heard(listed, from: request.url) })
    }

    private func decide(
        _ state: inout State, model: String, url: String, waiter: @escaping Completion
    ) -> Decision {
        var decision = Decision()
        if state.url != url {
            decision.outdated = state.waiting.map(\.completion)
            state = State(url: url)
        }
        let isFresh = state.heardAt.map { $0.duration(to: now()) < maximumAge } ?? false
        if isFresh || state.models.contains(model) {
            decision.answer = state.listed(for: model)
        } else {
            state.waiting.append((model, waiter))
        }
        if !isFresh, !state.isAsking {
            state.isAsking = true
            decision.asks = true
        }
        return decision
    }

    /// Takes an answer. Models that were listed before count as listed if there is no list this time.
    private func heard(_ listed: ListedModels, from url: String) {
        let answers = state.withLockedValue { state -> [(completion: Completion, listed: ListedModels)] in
            guard state.url == url else { return [] }
            state.isAsking = false
            state.heardAt = now()
            if case .known = listed {
                (state.models, state.doubt) = (listed, nil)
            } else {
                state.doubt = listed
                logger.debug("the default provider does not list its models", metadata: ["url": "\(url)"])
            }
            defer { state.waiting = [] }
            return state.waiting.map { ($0.completion, state.listed(for: $0.model)) }
        }
        for answer in answers { answer.completion(answer.listed) }
    }
}

/// Collects the answer to the question for a list of models.
private final class ModelListReceiver: UpstreamReceiver {
    private struct Answer {
        var status = 0
        var body: [UInt8] = []
    }

    /// Bytes that are worth a piece.
    private static let piece = 64 << 10

    private let answer = NIOLockedValueBox(Answer())
    private let done: @Sendable (ListedModels) -> Void

    init(done: @escaping @Sendable (ListedModels) -> Void) { self.done = done }

    func minimum(for head: UpstreamHead) -> Int { Self.piece }

    func receive(_ event: UpstreamEvent) {
        switch event {
        case .head(let head): answer.withLockedValue { $0.status = head.status }
        case .piece(let piece): answer.withLockedValue { $0.body += piece.bytes }
        case .end(let error):
            let answer = answer.withLockedValue { $0 }
            let isTooLarge = error?.code == .tooLarge
            guard error == nil || isTooLarge, answer.status < 500, ![408, 429].contains(answer.status) else {
                return done(.unavailable)
            }
            let isWhole = answer.status == 200 && !isTooLarge
            done(isWhole ? ListedModels(answer: answer.body) ?? .unknown : .unknown)
        }
    }
}
