internal import Common

/// One number of a chart.
package enum MetricsMeasure: Sendable, Hashable {
    /// Counts rows.
    package enum Count: String, Sendable, CaseIterable {
        case requests, errors
        /// Refusals by the operator's rate limits.
        case limitHits = "limit_hits"
    }

    /// Adds up what rows have. A row without the number adds nothing.
    package enum Sum: String, Sendable, CaseIterable {
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case cost

        var number: RequestNumber {
            switch self {
            case .inputTokens: .inputTokens
            case .outputTokens: .outputTokens
            case .cost: .cost
            }
        }
    }

    /// The durations of which percentiles are made.
    package enum Duration: String, Sendable, CaseIterable {
        case latency
        case timeToFirstToken = "time_to_first_token"
        case interTokenLatency = "inter_token_latency"
        case queueWait = "queue_wait"

        var number: RequestNumber {
            switch self {
            case .latency: .latency
            case .timeToFirstToken: .timeToFirstToken
            case .interTokenLatency: .interTokenLatency
            case .queueWait: .queueWait
            }
        }
    }

    package enum Percentile: Int, Sendable, CaseIterable {
        case p50 = 50
        case p75 = 75
        case p90 = 90
        case p99 = 99

        /// The rank of the percentile among so many values in order, counted from 0: of the smallest value that so many
        /// percent of all do not exceed (the nearest rank).
        func rank(among count: Int) -> Int { max((rawValue * count + 99) / 100, 1) - 1 }
    }

    case count(Count)
    case sum(Sum)
    case percentile(Percentile, of: Duration)

    package static let all: [MetricsMeasure] =
        Count.allCases.map { .count($0) } + Sum.allCases.map { .sum($0) }
        + Duration.allCases.flatMap { duration in Percentile.allCases.map { .percentile($0, of: duration) } }

    /// Such as `requests` or `latency_p99`.
    package var name: String {
        switch self {
        case .count(let count): count.rawValue
        case .sum(let sum): sum.rawValue
        case .percentile(let percentile, let duration): "\(duration.rawValue)_\(percentile)"
        }
    }

    package static func named(_ name: String) -> Self? { all.first { $0.name == name } }

    /// The measured property that it is made of; nil for a count.
    package var number: RequestNumber? {
        switch self {
        case .count: nil
        case .sum(let sum): sum.number
        case .percentile(_, let duration): duration.number
        }
    }
}
