internal import NIOConcurrencyHelpers

/// Bytes of exports that may be in memory at once, as they came and decompressed. Many clients at once could otherwise
/// take any amount, each keeping to its own bound.
final class ExportBudget: Sendable {
    private let limit: Int
    private let used = NIOLockedValueBox(0)

    init(limit: Int) { self.limit = limit }

    /// Bytes that one export holds, given back when it has ended.
    final class Share: Sendable {
        private let budget: ExportBudget
        private let bytes = NIOLockedValueBox(0)

        fileprivate init(_ budget: ExportBudget) { self.budget = budget }

        /// - Throws: 429, if no more may be held: the client should come back.
        func take(_ count: Int) throws(LangfuseError) {
            guard reserve(count) else { throw .busy }
        }

        /// - Returns: whether so many more may be held.
        func reserve(_ count: Int) -> Bool {
            let isThere = budget.used.withLockedValue { used in
                guard used + count <= budget.limit else { return false }
                used += count
                return true
            }
            if isThere { bytes.withLockedValue { $0 += count } }
            return isThere
        }

        deinit {
            let bytes = bytes.withLockedValue { $0 }
            budget.used.withLockedValue { $0 -= bytes }
        }
    }

    func share() -> Share { Share(self) }
}
