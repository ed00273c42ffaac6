internal import Common
internal import HTTPTypes

/// An answer's statement about the rate limits on which its job was counted.
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

        /// Whether it has less left than another of its kind.
        func isTighter(than other: Self) -> Bool { (remaining, -reset) < (other.remaining, -other.reset) }

        var values: [String] { [String(limit), String(remaining), ResetText.text(ofMilliseconds: reset)] }

        /// - Parameter isAlone: whether no limits of the provider's are among the fields.
        func addHeaders(to fields: inout HTTPFields, isAlone: Bool) {
            let own = names.own
            let isTheirsSmaller =
                !isAlone && fields[names.remaining].flatMap { Int($0) }.map { $0 < remaining } ?? false
            for (place, value) in values.enumerated() {
                guard !isAlone, let said = fields[own[place]] else {
                    fields.append(HTTPField(name: own[place], value: value))
                    continue
                }
                fields[names.upstream[place]] = said
                if !isTheirsSmaller { fields[own[place]] = value }
            }
        }
    }

    /// The rules' ids, in their order.
    private let rules: [String]
    /// Of each kind the limit that has the least left.
    private var requests: Left?
    private var tokens: Left?

    /// - Parameter usage: of each charge.
    /// - Returns: nil for a job that was counted on none.
    init?(_ charges: [RateCharge], _ usage: [RateUsage]) {
        guard !charges.isEmpty else { return nil }
        rules = charges.map(\.rule)
        for (charge, usage) in zip(charges, usage) { add(Left(charge, usage)) }
    }

    /// Of a job that was refused for a charge.
    init(refusedFor charge: RateCharge, _ usage: RateUsage) {
        rules = [charge.rule]
        add(Left(charge, usage))
    }

    private mutating func add(_ left: Left) {
        switch left.names {
        case .requests: if requests.map({ left.isTighter(than: $0) }) ?? true { requests = left }
        case .tokens: if tokens.map({ left.isTighter(than: $0) }) ?? true { tokens = left }
        }
    }

    /// The headers of a refusal.
    var headers: [HeaderField] {
        var headers = [applied.header].compactMap(\.self)
        for left in [requests, tokens].compactMap(\.self) {
            headers += zip(left.names.own, left.values).map { HeaderField($0.rawName, $1) }
        }
        return headers
    }

    /// Adds it to a provider's answer. The smaller remainder of ours and the provider's stands under the names that
    /// SDKs read; what the provider said stands beside, under other names.
    func addHeaders(to fields: inout HTTPFields) {
        // One look at the fields, of which an answer has some ten.
        var (said, isAlone): (place: Int?, isAlone: Bool) = (nil, true)
        for (place, field) in fields.enumerated() {
            if RateHeaders.isOne(field.name) { isAlone = false }
            if field.name == RateHeaders.applied { said = place }
        }
        if let header = applied.header(before: said.map { fields[$0].value }) {
            let field = HTTPField(name: RateHeaders.applied, value: header.value)
            if let said { fields[said] = field } else { fields.append(field) }
        }
        requests?.addHeaders(to: &fields, isAlone: isAlone)
        tokens?.addHeaders(to: &fields, isAlone: isAlone)
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
                + "\(ResetText.text(ofMilliseconds: charge.window)). "
                + "Try again in \(ResetText.text(ofMilliseconds: seconds * 1000)); nothing was recorded.",
            retryAfter: isShort ? seconds : nil, shouldRetry: isShort ? nil : false)
        rule = charge.rule
        headers = RateStatus(refusedFor: charge, usage).headers
    }
}
