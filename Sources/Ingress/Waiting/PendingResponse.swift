internal import Common

/// The answer to one request as a task reads it.
final class PendingResponse: Sendable {
    private let waiter: Waiter
    private let frames: ResponseFrames

    /// - Parameter frames: puts in order what the waiter hears.
    init(waiter: Waiter, frames: ResponseFrames) {
        self.waiter = waiter
        self.frames = frames
    }

    /// The next frame. After one with an end there are no more.
    func next() async throws(Waiter.Ending) -> ResponseFrame {
        while true {
            if let frame = frames.take(try await waiter.next()) { return frame }
        }
    }

    /// The client has taken `count` bytes.
    func took(_ count: Int) { frames.took(count) }
}
