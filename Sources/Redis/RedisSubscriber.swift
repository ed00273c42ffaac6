package import Logging
package import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Listens on fixed channels over a connection of its own, made anew whenever it ends.
///
/// Redis keeps no messages for an absent subscriber, so a message says only "look now": after ``Event/subscribed`` the
/// truth is in keys.
package final class RedisSubscriber: Service {
    package enum Event: Sendable, Hashable {
        /// All channels are subscribed, for the first time or again: messages may have been missed until now.
        case subscribed
        /// Messages in the order of their arrival, as many as one read brought.
        case messages([RedisMessage])
    }

    private let connector: RedisConnector
    private let channels: [String]
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - eventLoop: where the connection lives; nil takes one of the process's shared loops.
    ///   - onEvent: is called on the event loop, one event at a time; it must not block.
    package init(
        _ endpoint: RedisEndpoint, channels: [String], eventLoop: (any EventLoop)? = nil, logger: Logger,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        connector = RedisConnector(
            endpoint: endpoint, eventLoop: eventLoop ?? MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
        self.channels = channels
        self.onEvent = onEvent
    }

    /// Keeps the subscription until graceful shutdown or cancellation.
    /// - Throws: ``RedisError`` if the endpoint's configuration can never work.
    package func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            try await connector.run(onMessages: { [onEvent] in onEvent(.messages($0)) }, connected: subscribe)
        }
    }

    /// One command a channel, because a refusal is one reply however many channels the command names.
    private func subscribe(_ connection: RedisConnection) {
        guard !channels.isEmpty else { return }
        let answered: @Sendable (Result<RedisValue, RedisError>) -> Void = { [connector, onEvent] result in
            do throws(RedisError) {
                for reply in try result.get().array ?? [] { _ = try reply.get() }
                onEvent(.subscribed)
            } catch {
                connector.logger.error(
                    "cannot subscribe: \(error.message)", metadata: ["endpoint": "\(connector.endpoint)"])
                connection.close()
            }
        }
        connection.submit(
            batch: channels.map { RedisCommand("SUBSCRIBE", $0) },
            waiter: RedisWaiter(
                expected: channels.count, timeout: connector.endpoint.commandTimeout, completion: .callback(answered)))
    }
}
