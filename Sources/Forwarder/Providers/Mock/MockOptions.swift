internal import Common

/// The mock's options, as the model's name gives them: `mock/echo?delay_ms=200&status=429`.
///
/// | option | meaning | values |
/// |---|---|---|
/// | `delay_ms` | time to the head of the answer | 0 … 600000 |
/// | `chunks` | pieces of a streamed answer's text; else one a word | 1 … 100000 |
/// | `pace_ms` | time between two such pieces | 0 … 600000 |
/// | `size` | bytes of the answer's text, instead of the echo | 0 … 16777216 |
/// | `status` | status of the answer; not 200: an error body | 200, 400 … 599 |
/// | `retry_after` | seconds in a `Retry-After` header | 0 … 3600 |
/// | `prompt_tokens`, `completion_tokens` | what `usage` says; else counted in words | 0 … 1000000000 |
/// | `fail` | `connect`: no connection; `cut`: the answer ends halfway; `stall`: it stands still halfway | |
struct MockOptions: Sendable, Equatable {
    enum Failure: String, Sendable, CaseIterable {
        case connect, cut, stall
    }

    private(set) var delay = Duration.zero
    private(set) var chunks: Int?
    private(set) var pace = Duration.zero
    private(set) var size: Int?
    private(set) var status = 200
    private(set) var retryAfter: Int?
    private(set) var promptTokens: Int?
    private(set) var completionTokens: Int?
    private(set) var failure: Failure?

    /// - Parameter model: The model's name, with or without `mock/`.
    /// - Throws: 404 for a model other than `echo`, 400 that names a bad option.
    init(model: String) throws(GatewayError) {
        let name = model.hasPrefix("mock/") ? model.dropFirst(5) : model[...]
        let parts = name.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0] == "echo" else {
            throw .invalidRequest(
                404, code: "model_not_found", "The mock has no model `\(parts[0].prefix(64))`. Write `mock/echo`.",
                param: "model")
        }
        for option in parts.dropFirst().joined().split(separator: "&") {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try set(pair[0], to: pair.count == 2 ? pair[1] : "")
        }
    }

    private mutating func set(_ name: Substring, to value: Substring) throws(GatewayError) {
        // A string, whose cases are compared by bytes: those of a substring would be compared as Swift does.
        switch String(name) {
        case "delay_ms": delay = .milliseconds(try integer(name, value, in: 0...600_000))
        case "chunks": chunks = try integer(name, value, in: 1...100_000)
        case "pace_ms": pace = .milliseconds(try integer(name, value, in: 0...600_000))
        case "size": size = try integer(name, value, in: 0...16 << 20)
        case "status":
            status = try integer(name, value, in: 200...599)
            guard status == 200 || status >= 400 else { throw Self.bad(name, value: value, rule: "200, or 400 to 599") }
        case "retry_after": retryAfter = try integer(name, value, in: 0...3600)
        case "prompt_tokens": promptTokens = try integer(name, value, in: 0...1_000_000_000)
        case "completion_tokens": completionTokens = try integer(name, value, in: 0...1_000_000_000)
        case "fail":
            failure = Failure.named(value)
            guard failure != nil else {
                throw Self.bad(
                    name, value: value, rule: Failure.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))
            }
        default:
            let hint =
                SpellingSuggestion.nearest(to: String(name), among: Self.names).map { "; did you mean `\($0)`?" } ?? "."
            throw .invalidRequest(
                code: "unknown_mock_option",
                "The mock has no option `\(name.prefix(64))`\(hint) It knows \(Self.names.joined(separator: ", ")).",
                param: "model")
        }
    }

    private static let names = [
        "delay_ms", "chunks", "pace_ms", "size", "status", "retry_after", "prompt_tokens", "completion_tokens", "fail",
    ]

    private func integer(_ name: Substring, _ value: Substring, in range: ClosedRange<Int>) throws(GatewayError) -> Int
    {
        guard let number = Int(value), range.contains(number) else {
            throw Self.bad(name, value: value, rule: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func bad(_ name: Substring, value: Substring, rule: String) -> GatewayError {
        .invalidRequest(
            code: "invalid_mock_option",
            "The mock's option `\(name)` cannot be `\(value.prefix(64))`: it must be \(rule).", param: "model")
    }
}
