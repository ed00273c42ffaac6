internal import Common
internal import NIOConcurrencyHelpers

/// Spans of completions that have just ended in this process. Its exporter need not read them back from Redis and open
/// them. Spans that another exporter sends, or that cannot be sent for a while, give way; Redis has them.
final class RecentSpans: Sendable {
    /// The most bytes of spans that are kept, unless one alone is larger. Half of them are kept in any case: the spans
    /// that are collected (``ExportPace``) while as many are sent.
    static let maximumBytes = 8 << 20

    private struct State {
        var newer: [InsertionID: [UInt8]] = [:]
        var older: [InsertionID: [UInt8]] = [:]
        /// Of the newer ones.
        var bytes = 0
    }

    private let limit: Int
    private let state = NIOLockedValueBox(State())

    init(limit: Int = RecentSpans.maximumBytes) { self.limit = limit }

    /// Keeps a span that is in the outbox.
    /// - Parameter span: the span as it was before it was sealed.
    @Sendable func keep(_ span: [UInt8], of id: InsertionID) {
        state.withLockedValue { state in
            if state.bytes + span.count > limit / 2 {
                (state.older, state.newer, state.bytes) = (state.newer, [:], 0)
            }
            state.newer[id] = span
            state.bytes += span.count
        }
    }

    /// Returns a span, and forgets it; nil if it is not here.
    func take(_ id: InsertionID) -> [UInt8]? {
        state.withLockedValue { state in
            guard let span = state.newer.removeValue(forKey: id) else { return state.older.removeValue(forKey: id) }
            state.bytes -= span.count
            return span
        }
    }
}
