internal import NIOConcurrencyHelpers
internal import NIOCore

/// The commands that wait to be written, and who waits for their replies, in the same order.
///
/// Any thread appends; the event loop takes everything at once. Only the append that finds the outbox empty has to wake
/// the loop, so all commands issued until it comes leave in one write.
final class RedisOutbox: Sendable {
    enum Admission: Sendable {
        /// The outbox was empty: wake the event loop.
        case first
        case joined
        case refused(RedisError)
    }

    struct Batch {
        var bytes: ByteBuffer
        var waiters: [RedisWaiter]
    }

    private struct State {
        var batch = Batch(bytes: ByteBuffer(), waiters: [])
        /// The bytes of `batch` and of those taken but not yet written to the socket.
        var unwrittenBytes = 0
        var closure: RedisError?
    }

    private let state = NIOLockedValueBox(State())
    private let maximumBytes: Int

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    func append(_ command: RedisCommand, waiter: RedisWaiter) -> Admission {
        append(holding: command.byteCount, encodedCount: command.encodedCount, waiter: waiter) {
            command.write(to: &$0)
        }
    }

    /// Appends all commands or none, with no other command between them.
    func append(batch commands: [RedisCommand], waiter: RedisWaiter) -> Admission {
        let (own, encoded) = commands.reduce((0, 0)) { ($0.0 + $1.byteCount, $0.1 + $1.encodedCount) }
        return append(holding: own, encodedCount: encoded, waiter: waiter) {
            for command in commands { command.write(to: &$0) }
        }
    }

    /// - Parameters:
    ///   - byteCount: the number of bytes in the arguments.
    ///   - encodedCount: the number of bytes that `write` writes.
    private func append(
        holding byteCount: Int, encodedCount: Int, waiter: RedisWaiter, write: (inout ByteBuffer) -> Void
    ) -> Admission {
        guard byteCount <= maximumBytes else { return .refused(.tooLarge(byteCount, maximumBytes)) }
        return state.withLockedValue { state in
            if let closure = state.closure { return .refused(closure) }
            guard state.unwrittenBytes == 0 || state.unwrittenBytes + encodedCount <= maximumBytes else {
                return .refused(.outboxFull(maximumBytes))
            }
            let isFirst = state.batch.waiters.isEmpty
            write(&state.batch.bytes)
            state.batch.waiters.append(waiter)
            state.unwrittenBytes += encodedCount
            return isFirst ? .first : .joined
        }
    }

    /// Takes everything appended so far; nil if nothing was.
    func take() -> Batch? {
        state.withLockedValue { state in
            guard !state.batch.waiters.isEmpty else { return nil }
            let batch = state.batch
            // The next batch is likely as large as this one.
            state.batch = Batch(bytes: ByteBuffer(), waiters: [])
            state.batch.bytes.reserveCapacity(min(batch.bytes.readableBytes, 64 << 10))
            state.batch.waiters.reserveCapacity(batch.waiters.count)
            return batch
        }
    }

    /// The reason why no more commands are taken.
    var reasonOfEnd: RedisError? { state.withLockedValue { $0.closure } }

    /// Counts bytes of a batch as written.
    func wrote(_ count: Int) {
        state.withLockedValue { $0.unwrittenBytes -= count }
    }

    /// Refuses further commands, with the `error` of the first call, and returns the waiters whose commands were never
    /// written.
    func close(_ error: RedisError) -> [RedisWaiter] {
        state.withLockedValue { state in
            state.closure = state.closure ?? error
            defer { state.batch = Batch(bytes: ByteBuffer(), waiters: []) }
            return state.batch.waiters
        }
    }
}

extension RedisError {
    fileprivate static func tooLarge(_ bytes: Int, _ maximum: Int) -> Self {
        RedisError(
            .commandTooLarge,
            "a command of \(bytes) bytes is larger than the \(maximum) that may wait to be sent; split it")
    }

    fileprivate static func outboxFull(_ maximum: Int) -> Self {
        RedisError(
            .unavailable,
            "the \(maximum) bytes that may wait to be sent are in use: Redis or the network to it is too slow; try again later"
        )
    }
}
