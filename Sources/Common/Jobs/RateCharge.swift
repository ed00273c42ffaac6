/// One job's charge on one counter, in the step that queues it.
package struct RateCharge: Sendable, Equatable {
    /// The unit in which a rate limit counts.
    package enum Unit: String, Sendable, CaseIterable {
        case requests
        /// Tokens of request and answer together, and each alone.
        case tokens
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
    }

    /// The rule's id, as clients are told it: with their own values in the place of its placeholders. Empty in a job
    /// off the queue.
    package var rule: String
    /// The rule's id as the operator wrote it.
    package var ruleID: String
    package var unit: Unit
    /// Names the counter, the same in all processes. Holds no value of a client's.
    package var counter: String
    /// Of tokens, what the job may take at most by what is known before its call. The job's end corrects it.
    package var amount: Int
    /// The most that any window may hold.
    package var limit: Int
    /// The window's length in milliseconds. It slides.
    package var window: Int
    /// Whether a job beyond the limit is refused. If not, it is counted all the same.
    package var isEnforced: Bool

    package init(
        rule: String, ruleID: String? = nil, unit: Unit = .requests, counter: String, amount: Int, limit: Int,
        window: Int, isEnforced: Bool
    ) {
        self.rule = rule
        self.ruleID = ruleID ?? rule
        self.unit = unit
        self.counter = counter
        self.amount = amount
        self.limit = limit
        self.window = window
        self.isEnforced = isEnforced
    }

    /// Whether the job's end corrects the amount.
    package var isSettled: Bool { unit != .requests }
}

extension RateCharge {
    /// The part that the job's end needs: the unit, the amount and the counter.
    var wireText: String { "\(unit.rawValue) \(amount) \(counter)" }

    init?(wireText: String) {
        let parts = wireText.split(separator: " ")
        guard parts.count == 3, let unit = Unit(rawValue: String(parts[0])), let amount = Int(parts[1]) else {
            return nil
        }
        self.init(
            rule: "", unit: unit, counter: String(parts[2]), amount: amount, limit: 0, window: 0, isEnforced: false)
    }
}

/// The state of a counter after a job was counted on it, or refused because of it.
package struct RateUsage: Sendable, Equatable {
    /// Of the window that ends now.
    package var used: Int
    /// Milliseconds until the counter holds less; of a job that was refused, until it could be let in.
    package var reset: Int

    package init(used: Int, reset: Int) {
        self.used = used
        self.reset = reset
    }
}

/// A job's use of the limits on tokens.
package enum TokensSpent: Sendable, Equatable {
    /// Nothing of it can have reached a provider.
    case none
    /// The provider said so; what it did not say is nil.
    case counted(input: Int?, output: Int?, total: Int?)
    /// A server of the client's own choice said so, so that nothing beyond the estimate counts.
    case claimed(input: Int?, output: Int?, total: Int?)
    /// The estimate stands.
    case unknown

    /// - Parameter estimate: the amount that the job was charged.
    /// - Returns: nil if it is not known.
    package func count(of unit: RateCharge.Unit, estimate: Int) -> Int? {
        switch self {
        case .none: 0
        case .unknown: nil
        case .counted(let input, let output, let total):
            Self.count(of: unit, input: input, output: output, total: total)
        case .claimed(let input, let output, let total):
            Self.count(of: unit, input: input, output: output, total: total).map { min($0, estimate) }
        }
    }

    private static func count(of unit: RateCharge.Unit, input: Int?, output: Int?, total: Int?) -> Int? {
        switch unit {
        case .requests: return nil
        case .inputTokens: return input
        case .outputTokens: return output
        case .tokens:
            if let total { return total }
            guard let input, let output else { return nil }
            let (sum, isTooLarge) = input.addingReportingOverflow(output)
            return isTooLarge ? nil : sum
        }
    }
}
