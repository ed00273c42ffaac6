/// Where a job's call goes, and where it goes next if it fails there. Empty: to the model that the request names.
package struct Route: Sendable, Equatable {
    /// Why a call failed that another target may take.
    package enum Failure: Sendable, Hashable {
        case status(Int)
        /// No connection was made, so nothing was sent.
        case connectError
        /// The provider did not answer in time.
        case timeout
    }

    /// One target.
    package struct Step: Sendable, Equatable {
        /// `provider/model`.
        package var model: String
        /// The rule that chose it; nil for the model that the request names.
        package var rule: String?
        /// What makes it the next one's turn.
        package var failures: Set<Failure>

        package init(_ model: String, rule: String? = nil, failures: Set<Failure> = []) {
            self.model = model
            self.rule = rule
            self.failures = failures
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.model == right.model && left.rule == right.rule && left.failures == right.failures
        }
    }

    /// The targets among which a rule balances, the chosen one first, or the model that the request names; then, from
    /// `fallback` on, those of a rule for fallback.
    package var steps: [Step]
    /// The place of the fallback rule's first target.
    package var fallback: Int
    /// What makes it the fallback's turn, after any of the steps before.
    package var fallbackFailures: Set<Failure>

    package init(_ steps: [Step] = [], fallback: Int? = nil, fallbackFailures: Set<Failure> = []) {
        self.steps = steps
        self.fallback = fallback ?? steps.count
        self.fallbackFailures = fallbackFailures
    }

    package var isEmpty: Bool { steps.isEmpty }

    /// The place of the step that follows one that has failed; nil if none does. Each model has one turn.
    /// - Parameter tried: the places of all that had theirs.
    package func next(after place: Int, _ failure: Failure, tried: [Int]) -> Int? {
        let isFallback = place >= fallback
        if steps[place].failures.contains(failure) {
            let rest = place + 1..<(isFallback ? steps.count : fallback)
            if let next = rest.first(where: { isNew($0, tried) }) { return next }
        }
        guard !isFallback, fallbackFailures.contains(failure) else { return nil }
        return (fallback..<steps.count).first { isNew($0, tried) }
    }

    private func isNew(_ place: Int, _ tried: [Int]) -> Bool {
        !tried.contains { steps[$0].model == steps[place].model }
    }
}

extension Route.Failure {
    /// As rules name it.
    package var word: String {
        switch self {
        case .status(let status): String(status)
        case .connectError: "connect_error"
        case .timeout: "timeout"
        }
    }

    package init?(word: String) {
        switch UTF8Text(word) {
        case "connect_error": self = .connectError
        case "timeout": self = .timeout
        default:
            guard word.utf8.count == 3, let status = Int(word), (400...599).contains(status) else { return nil }
            self = .status(status)
        }
    }
}
