/// The target of a job's call, and those that follow if it fails there. Empty: the model that the request names.
package struct Route: Sendable, Equatable {
    /// A failure of a call that another target may take.
    package enum Failure: Sendable, Hashable {
        case status(Int)
        /// No connection was made, or it broke before an answer began.
        case connectError
        /// The provider did not answer in time.
        case timeout
        /// A stream had no content in the time that its client gives it.
        case firstTokenTimeout
        /// A stream broke off, or told of an error, before its content.
        case streamError
        /// An answer with a status of success told of an error, and was not a stream.
        case errorInSuccess
    }

    /// The repetition of a failed call to the same target.
    package struct Retry: Sendable, Equatable {
        /// Calls beyond the first.
        package var attempts: Int
        /// The pause before the first of them, in milliseconds; each further one is twice as long.
        package var delay: Int
        /// The failures that make it their turn.
        package var failures: Set<Failure>

        package init(attempts: Int, delay: Int, failures: Set<Failure>) {
            self.attempts = attempts
            self.delay = delay
            self.failures = failures
        }
    }

    /// The changes that a rule makes to the request to its target.
    package struct Changes: Sendable, Equatable {
        /// A member of the body.
        package struct Member: Sendable, Equatable {
            package var name: String
            /// The value, as JSON.
            package var json: String

            package init(_ name: String, json: String) {
                self.name = name
                self.json = json
            }
        }

        /// Members that are set, in the place of the client's.
        package var members: [Member]
        /// Headers that are set, in the place of the client's.
        package var headers: [HeaderField]
        /// Names of headers that are left out.
        package var removedHeaders: [String]

        package init(members: [Member] = [], headers: [HeaderField] = [], removedHeaders: [String] = []) {
            self.members = members
            self.headers = headers
            self.removedHeaders = removedHeaders
        }

        package var isEmpty: Bool { members.isEmpty && headers.isEmpty && removedHeaders.isEmpty }
    }

    /// One target.
    package struct Step: Sendable, Equatable {
        /// `provider/model`.
        package var model: String
        /// The rule that chose it; nil for the model that the request names.
        package var rule: String?
        /// The failures that make it the next one's turn.
        package var failures: Set<Failure>

        /// Nil: the rule says nothing, and what the client asks for counts.
        package var retry: Retry?
        package var changes: Changes

        package init(
            _ model: String, rule: String? = nil, failures: Set<Failure> = [], retry: Retry? = nil,
            changes: Changes = Changes()
        ) {
            self.model = model
            self.rule = rule
            self.failures = failures
            self.retry = retry
            self.changes = changes
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.model == right.model && left.rule == right.rule && left.failures == right.failures
                && left.retry == right.retry && left.changes == right.changes
        }
    }

    /// The targets among which a rule balances, the chosen one first, or the model that the request names; then, from
    /// `fallback` on, those of a rule for fallback.
    package var steps: [Step]
    /// The place of the fallback rule's first target.
    package var fallback: Int
    /// The failures that make it the fallback's turn, after any of the steps before.
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
