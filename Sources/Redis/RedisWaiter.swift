internal import NIOCore

/// The sender that waits for the replies to one append of commands.
struct RedisWaiter: Sendable {
    enum Completion: Sendable {
        case continuation(RedisContinuation)
        /// Called on the connection's event loop.
        case callback(@Sendable (Result<RedisValue, RedisError>) -> Void)
    }

    /// The replies to collect into one `.array`; nil for the one reply itself.
    let expected: Int?
    let timeout: TimeAmount
    let completion: Completion
    /// The time at which the wait ends; set as the commands are written.
    var deadline = NIODeadline.distantFuture

    init(expected: Int?, timeout: Duration, completion: Completion) {
        self.expected = expected
        self.timeout = TimeAmount(timeout)
        self.completion = completion
    }

    func finish(_ result: Result<RedisValue, RedisError>) {
        switch completion {
        case .continuation(let continuation): continuation.resume(returning: result)
        case .callback(let callback): callback(result)
        }
    }
}

// A checked continuation costs 50 ns more, which is for debugging; swift-nio made the same choice
// (apple/swift-nio#3521).
#if DEBUG
typealias RedisContinuation = CheckedContinuation<Result<RedisValue, RedisError>, Never>

func withRedisContinuation(_ body: (RedisContinuation) -> Void) async -> Result<RedisValue, RedisError> {
    await withCheckedContinuation(body)
}
#else
typealias RedisContinuation = UnsafeContinuation<Result<RedisValue, RedisError>, Never>

func withRedisContinuation(_ body: (RedisContinuation) -> Void) async -> Result<RedisValue, RedisError> {
    await withUnsafeContinuation(body)
}
#endif
