internal import Common
internal import HTTPTypes

/// What the answer to a job says of the rate limits that it was counted on.
struct RateStatus: Sendable, Equatable {
    /// One limit.
    private struct Left: Sendable, Equatable {
        let names: RateHeaders
        let limit: Int
        let remaining: Int
        /// Milliseconds until more is left.
        let reset: Int

        init(_ charge: RateCharge, _ usage: RateUsage) {
            names = charge.unit == .requests ? .requests : .tokens
            limit = charge.limit
            remaining = max(charge.limit - usage.used, 0)
            reset = usage.reset
        }

        var values: [String] { [String(limit), String(remaining), DurationText.text(ofMilliseconds: reset)] }
    }

    /// The rules' ids, in their order.
    private let rules: [String]
    /// Of each kind the limit that has the least left.
    private let tightest: [Left]

    /// - Parameter usage: of each charge.
    /// - Returns: nil for a job that was counted on none.
    init?(_ charges: [RateCharge], _ usage: [RateUsage]) {
        guard !charges.isEmpty else { return nil }
        rules = charges.map(\.rule)
        let all = zip(charges, usage).map { Left($0, $1) }
        tightest = [RateHeaders.requests, .tokens].compactMap { names in
            all.filter { $0.names == names }.min { ($0.remaining, -$0.reset) < ($1.remaining, -$1.reset) }
        }
    }

    /// Of a job that was refused for a charge.
    init(refusedFor charge: RateCharge, _ usage: RateUsage) {
        rules = [charge.rule]
        tightest = [Left(charge, usage)]
    }

    /// What a refusal says.
    var headers: [HeaderField] {
        var headers = [applied.header].compactMap(\.self)
        for left in tightest {
            headers += zip(left.names.own, left.values).map { HeaderField($0.rawName, $1) }
        }
        return headers
    }

    /// Adds it to a provider's answer. The smaller remainder of ours and the provider's stands under the names that
    /// SDKs read; what the provider said stands beside, under other names.
    func sign(_ fields: inout HTTPFields) {
        let said = fields[RateHeaders.applied]
        if let header = applied.header(before: said) { fields[RateHeaders.applied] = header.value }
        for left in tightest {
            let theirs = fields[left.names.remaining].flatMap { Int($0) }
            let isTheirsSmaller = theirs.map { $0 < left.remaining } ?? false
            for (place, value) in left.values.enumerated() {
                let name = left.names.own[place]
                if let said = fields[name] {
                    fields[left.names.upstream[place]] = said
                    if isTheirsSmaller { continue }
                }
                fields[name] = value
            }
        }
    }

    private var applied: AppliedConfigurations { AppliedConfigurations([("rate_limit", rules)]) }
}

extension GatewayError {
    /// Longer than this no SDK waits by itself.
    private static let longestWait = 60

    /// - Parameter usage: of the charge's counter, and until the job could be let in.
    init(overLimit charge: RateCharge, _ usage: RateUsage) {
        let seconds = max((usage.reset + 999) / 1000, 1)
        let isShort = seconds <= Self.longestWait
        let counted = charge.unit.rawValue.replacing("_", with: " ")
        self.init(
            status: 429, type: "rate_limit_error", code: "rate_limit_exceeded",
            message: "The operator's rate limit `\(charge.rule)` is reached: \(charge.limit) \(counted) in "
                + "\(DurationText.text(ofMilliseconds: charge.window)). "
                + "Try again in \(DurationText.text(ofMilliseconds: seconds * 1000)); nothing was recorded.",
            retryAfter: isShort ? seconds : nil, shouldRetry: isShort ? nil : false)
        rule = charge.rule
        headers = RateStatus(refusedFor: charge, usage).headers
    }
}
