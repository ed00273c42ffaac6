internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// One pipelined connection. It ends for good when it is closed; ``RedisConnector`` opens the next.
final class RedisConnection: Sendable {
    private let channel: any Channel
    private let outbox: RedisOutbox
    private let handler: NIOLoopBound<RedisChannelHandler>
    let endpoint: RedisEndpoint

    private init(
        channel: any Channel, endpoint: RedisEndpoint, tls: NIOSSLContext?,
        onMessages: (@Sendable ([RedisMessage]) -> Void)?
    ) throws {
        self.channel = channel
        self.endpoint = endpoint
        outbox = RedisOutbox(maximumBytes: endpoint.maximumUnsentBytes)
        handler = NIOLoopBound(
            RedisChannelHandler(endpoint: endpoint, outbox: outbox, onMessages: onMessages),
            eventLoop: channel.eventLoop)
        if let tls {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: endpoint.serverName))
        }
        try channel.pipeline.syncOperations.addHandler(handler.value)
    }

    /// Connects, logs in and sees that the server answers.
    /// - Throws: ``RedisError``; its message says what to check.
    static func open(
        _ endpoint: RedisEndpoint, tls: NIOSSLContext?, eventLoop: any EventLoop,
        onMessages: (@Sendable ([RedisMessage]) -> Void)?
    ) async throws(RedisError) -> RedisConnection {
        // NIO's own default is TCP_NODELAY, without which a small command may wait 40 ms for an acknowledgement.
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(TimeAmount(endpoint.connectTimeout))
        let initialize = { @Sendable (channel: any Channel) in
            channel.eventLoop.makeCompletedFuture {
                try RedisConnection(channel: channel, endpoint: endpoint, tls: tls, onMessages: onMessages)
            }
        }
        let connection: RedisConnection
        do {
            connection =
                switch endpoint.address {
                case .tcp(let host, let port):
                    try await bootstrap.connect(host: host, port: port, channelInitializer: initialize)
                case .unix(let path):
                    try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initialize)
                }
        } catch {
            throw RedisError(.unavailable, "cannot connect to \(endpoint): \(error); check that Redis runs there")
        }
        do throws(RedisError) {
            try await connection.logIn()
            endpoint.peers.add(connection)
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    /// Appends a command and returns; `waiter` is finished with its reply.
    func submit(_ command: RedisCommand, waiter: RedisWaiter) {
        admitted(outbox.append(command, waiter: waiter), waiter)
    }

    /// Appends all commands at once, with no other between them.
    func submit(batch commands: [RedisCommand], waiter: RedisWaiter) {
        admitted(outbox.append(batch: commands, waiter: waiter), waiter)
    }

    private func admitted(_ admission: RedisOutbox.Admission, _ waiter: RedisWaiter) {
        switch admission {
        case .first: channel.eventLoop.execute { [handler] in handler.value.flush() }
        case .joined: break
        case .refused(let error): refuse(waiter, error)
        }
    }

    /// A callback is never called within the call that it was given to.
    private func refuse(_ waiter: RedisWaiter, _ error: RedisError) {
        switch waiter.completion {
        case .continuation: waiter.finish(.failure(error))
        case .callback: channel.eventLoop.execute { waiter.finish(.failure(error)) }
        }
    }

    func close() { channel.close(promise: nil) }

    /// Takes no more commands and ends, so that the next connection looks the server up anew. What was sent may be
    /// answered yet.
    func retire(because error: RedisError) {
        channel.eventLoop.execute { [handler] in handler.value.retire(because: error) }
    }

    /// The reason why it has ended, if the server said so.
    var endReason: RedisError? { outbox.reasonOfEnd.flatMap { $0.refusal == nil ? nil : $0 } }

    /// Returns when the connection has ended. Cancelling the task ends it.
    func ended() async {
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            close()
        }
        endpoint.peers.remove(self)
    }
}

extension RedisConnection {
    /// - Returns: the reply; a refusal by the server is a value.
    func send(_ command: RedisCommand, timeout: Duration?) async throws(RedisError) -> RedisValue {
        try await withRedisContinuation { continuation in
            submit(
                command,
                waiter: RedisWaiter(
                    expected: nil, timeout: timeout ?? endpoint.commandTimeout, completion: .continuation(continuation))
            )
        }.get()
    }

    /// - Returns: the replies in order; a refusal by the server is a value at its place.
    func send(batch commands: [RedisCommand], timeout: Duration?) async throws(RedisError) -> [RedisValue] {
        guard !commands.isEmpty else { return [] }
        let reply = try await withRedisContinuation { continuation in
            submit(
                batch: commands,
                waiter: RedisWaiter(
                    expected: commands.count, timeout: timeout ?? endpoint.commandTimeout,
                    completion: .continuation(continuation)))
        }.get()
        return reply.array ?? []
    }
}
