internal import Common
internal import Logging
internal import NIOCore
internal import Redis

/// A step on the queue that is repeated until Redis has answered, or until the step is no longer needed. Repeating a
/// step that was done and whose answer was lost does no harm: a job that has ended is no longer owned, and a frame is
/// known by its number. A step that ends a job is needed even if the client has left, until the process gives the job
/// back.
struct RepeatedStep<Value: Sendable>: Sendable {
    typealias Completion = @Sendable (Result<Value, RedisError>) -> Void

    private let eventLoop: any EventLoop
    private let logger: Logger
    private let isOver: @Sendable () -> Bool
    private let step: @Sendable (@escaping Completion) -> Void

    /// - Parameters:
    ///   - eventLoop: the loop on which the outcome of the step is told.
    ///   - isOver: whether the step is no longer needed.
    ///   - step: does it, once.
    init(
        on eventLoop: any EventLoop, logger: Logger, unless isOver: @escaping @Sendable () -> Bool,
        _ step: @escaping @Sendable (@escaping Completion) -> Void
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.isOver = isOver
        self.step = step
    }

    /// Does the step.
    /// - Parameter completion: is given what Redis said; nil if it said nothing until the step was no longer to be
    ///   done.
    func run(completion: @escaping @Sendable (Value?) -> Void) { run(.ofRedisSteps, completion) }

    private func run(_ backoff: Backoff, _ completion: @escaping @Sendable (Value?) -> Void) {
        step { result in
            switch result {
            case .success(let done): eventLoop.perform { completion(done) }
            case .failure(let error):
                guard !isOver() else { return eventLoop.perform { completion(nil) } }
                logger.debug("trying again", metadata: ["error": "\(error)"])
                var backoff = backoff
                let pause = TimeAmount(backoff.next())
                _ = eventLoop.scheduleTask(in: pause) { [backoff] in run(backoff, completion) }
            }
        }
    }
}

extension EventLoop {
    /// Runs `action` on the loop: at once, if the caller is there.
    func perform(_ action: @escaping @Sendable () -> Void) {
        if inEventLoop { action() } else { execute(action) }
    }
}
