internal import NIOCore

/// One end of a connection: writes what the outbox holds, matches replies to waiters in order, and watches their
/// deadlines.
///
/// Confined to its channel's event loop.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let endpoint: RedisEndpoint
    private let outbox: RedisOutbox
    private let onMessages: (@Sendable ([RedisMessage]) -> Void)?
    private let parser: RedisReplyParser
    private var context: ChannelHandlerContext?

    private var inFlight = CircularBuffer<RedisWaiter>()
    /// The replies that the first waiter in flight has so far.
    private var collected: [RedisValue] = []
    /// Waiters answered by the bytes being read; they are resumed together, after parsing.
    private var answered: [(waiter: RedisWaiter, reply: RedisValue)] = []
    private var messages: [RedisMessage] = []

    private var deadlineCheck: (at: NIODeadline, timer: Scheduled<Void>)?
    private var keepAlive: Scheduled<Void>?
    /// The reason why the connection takes no more commands and ends when those in flight are answered.
    private var retirement: RedisError?

    /// - Parameter onMessages: takes what arrives on subscribed channels, on the event loop; nil if nothing is
    ///   subscribed here.
    init(endpoint: RedisEndpoint, outbox: RedisOutbox, onMessages: (@Sendable ([RedisMessage]) -> Void)?) {
        self.endpoint = endpoint
        self.outbox = outbox
        self.onMessages = onMessages
        parser = RedisReplyParser(maximumReplyBytes: endpoint.maximumReplyBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        scheduleKeepAlive(context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(.lost(endpoint))
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.lost(endpoint))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(RedisError(.connectionLost, "the connection to \(endpoint) failed: \(error)"))
    }

    /// Writes everything that the outbox holds.
    func flush() {
        guard let context, let batch = outbox.take() else { return }
        let now = NIODeadline.now()
        var earliest = NIODeadline.distantFuture
        for var waiter in batch.waiters {
            waiter.deadline = now + waiter.timeout
            earliest = min(earliest, waiter.deadline)
            inFlight.append(waiter)
        }
        checkDeadlines(at: earliest, context)
        let count = batch.bytes.readableBytes
        context.writeAndFlush(wrapOutboundOut(batch.bytes)).whenComplete { [outbox] _ in outbox.wrote(count) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let failure: RedisError?
        do throws(RedisError) {
            try parse(unwrapInboundIn(data))
            failure = nil
        } catch {
            failure = error
        }
        for (waiter, reply) in answered { waiter.finish(.success(reply)) }
        answered.removeAll(keepingCapacity: true)
        if !messages.isEmpty {
            onMessages?(messages)
            messages.removeAll(keepingCapacity: true)
        }
        if let failure { end(failure) }
        if retirement != nil, inFlight.isEmpty { end(.lost(endpoint)) }
    }

    private func parse(_ buffer: ByteBuffer) throws(RedisError) {
        try buffer.withUnsafeReadableBytes { bytes throws(RedisError) in try parser.feed(bytes) }
        while let value = try parser.next() { try receive(value) }
    }

    private func receive(_ value: RedisValue) throws(RedisError) {
        if case .error(let reply) = value, retirement == nil, RedisRefusal.isReplica(RedisRefusal.code(of: reply)) {
            // The server was the primary. Where the endpoint leads now is found out by connecting anew.
            endpoint.peers.retireAll(because: RedisError(reply: reply))
        }
        if onMessages != nil, let message = RedisMessage(value) { return messages.append(message) }
        guard let first = inFlight.first else {
            throw RedisError(.protocolError, "\(endpoint) sent a reply that no command asked for")
        }
        guard let expected = first.expected else { return answered.append((inFlight.removeFirst(), value)) }
        collected.append(value)
        guard collected.count == expected else { return }
        answered.append((inFlight.removeFirst(), .array(collected)))
        collected = []
    }

    /// Takes no more commands, and closes the connection once those in flight are answered or a second has passed: a
    /// blocked read is not waited for.
    func retire(because error: RedisError) {
        guard retirement == nil, let context else { return }
        retirement = RedisError(.unavailable, error.message, refusal: error.refusal)
        let unsent = outbox.close(RedisError(.unavailable, error.message, refusal: error.refusal))
        for waiter in unsent {
            waiter.finish(.failure(RedisError(.unavailable, error.message, refusal: error.refusal)))
        }
        guard !inFlight.isEmpty else { return end(.lost(endpoint)) }
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.end(.lost(self.endpoint)) }
    }

    /// Closes the connection. Commands that were written fail with `error`, those that were not as unavailable.
    private func end(_ error: RedisError) {
        deadlineCheck?.timer.cancel()
        deadlineCheck = nil
        keepAlive?.cancel()
        keepAlive = nil
        let unsent = outbox.close(RedisError(.unavailable, error.message))
        let written = inFlight
        inFlight = []
        for waiter in written { waiter.finish(.failure(error)) }
        for waiter in unsent { waiter.finish(.failure(RedisError(.unavailable, error.message))) }
        context?.close(promise: nil)
    }
}

extension RedisChannelHandler {
    /// One timer watches all deadlines: it is set for the earliest and, when it fires, for the earliest of those still
    /// in flight. An answered command leaves it alone, so a busy connection sets it about once per command timeout.
    private func checkDeadlines(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        if let deadlineCheck {
            guard deadline < deadlineCheck.at else { return }
            deadlineCheck.timer.cancel()
        }
        deadlineCheck = (
            deadline, context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.deadlineReached() }
        )
    }

    private func deadlineReached() {
        deadlineCheck = nil
        guard let context, let earliest = inFlight.lazy.map(\.deadline).min() else { return }
        guard earliest <= .now() else { return checkDeadlines(at: earliest, context) }
        end(RedisError(.timeout, "\(endpoint) gave no answer in time; it is overloaded, stopped or unreachable"))
    }

    private func scheduleKeepAlive(_ context: ChannelHandlerContext) {
        keepAlive = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(endpoint.keepAliveInterval)) {
            guard context.channel.isActive else { return }
            if self.inFlight.isEmpty {
                _ = self.outbox.append(RedisCommand("PING"), waiter: .ignored(timeout: self.endpoint.commandTimeout))
                self.flush()
            }
            self.scheduleKeepAlive(context)
        }
    }
}

extension RedisWaiter {
    fileprivate static func ignored(timeout: Duration) -> Self {
        RedisWaiter(expected: nil, timeout: timeout, completion: .callback { _ in })
    }
}

extension RedisError {
    fileprivate static func lost(_ endpoint: RedisEndpoint) -> Self {
        RedisError(.connectionLost, "\(endpoint) closed the connection")
    }
}
