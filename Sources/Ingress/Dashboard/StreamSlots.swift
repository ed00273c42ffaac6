internal import NIOConcurrencyHelpers

/// The pages that one ingress brings up to date at once, of which there are only so many.
final class StreamSlots: Sendable {
    /// A page's place, which it has for as long as this is held.
    final class Slot: Sendable {
        private let slots: StreamSlots

        fileprivate init(_ slots: StreamSlots) { self.slots = slots }

        deinit { slots.free.withLockedValue { $0 += 1 } }
    }

    private let free: NIOLockedValueBox<Int>

    init(_ most: Int) { free = NIOLockedValueBox(most) }

    /// - Returns: nil if all are taken.
    func take() -> Slot? {
        let isFree = free.withLockedValue { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        return isFree ? Slot(self) : nil
    }
}
