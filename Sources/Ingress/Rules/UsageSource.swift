internal import Common
internal import Policies
internal import Queue
internal import Redis

/// The source from which an explanation learns the counters' values.
enum UsageSource: Sendable {
    case redis(RateReader)
    /// - Parameter reason: why nothing can be read.
    case none(reason: String)

    /// - Returns: as many as there are charges.
    func usage(of charges: [RateCharge]) async -> [Explanation.Limit.Usage] {
        switch self {
        case .none(let reason): return charges.map { _ in .unknown(reason: reason) }
        case .redis(let reader):
            do throws(RedisError) {
                return try await reader.usage(of: charges).map { .known($0) }
            } catch {
                let reason = error.refusal.map { "Redis refuses to tell it (\($0))" } ?? "Redis cannot be reached"
                return charges.map { _ in .unknown(reason: reason) }
            }
        }
    }

    /// The reason why a limit's counter is not asked for.
    static func reason(without limit: Explanation.Limit) -> String {
        limit.mayShowUsage
            ? "the request is larger than the limit"
            : "the counter belongs to a value that the request only claims"
    }
}
