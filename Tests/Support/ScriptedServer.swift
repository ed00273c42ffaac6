internal import NIOCore
internal import NIOPosix

/// A TCP server on a free port of 127.0.0.1 that does, on every connection, what a test's script says: byte for byte,
/// so that it may also break HTTP.
package struct ScriptedServer: Sendable {
    package typealias Script = @Sendable (Connection) async throws -> Void
    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    package let port: Int
    /// Connections that were accepted so far.
    package let accepted: Counter

    /// Runs a server for as long as `body` runs. `script` is run for each connection, which is closed after it.
    package static func run<Result: Sendable>(
        _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 2048)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // A connection that nobody takes any longer must not be wrapped: NIO ends the process for a wrapped one
            // that is dropped unused.
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0) { channel in channel.eventLoop.makeSucceededFuture(channel) }
        let accepted = Counter()
        let port = server.channel.localAddress?.port ?? 0
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await withThrowingDiscardingTaskGroup { connections in
                    try await server.executeThenClose { incoming in
                        for try await channel in incoming {
                            accepted.add(1)
                            connections.addTask { await serve(channel, script) }
                        }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(ScriptedServer(port: port, accepted: accepted))
        }
    }

    /// Whatever ends a connection is the script's or its peer's wish.
    private static func serve(_ connection: any NIOCore.Channel, _ script: Script) async {
        let wrapped = connection.eventLoop.submit {
            let channel = try Channel(wrappingChannelSynchronously: connection)
            try connection.syncOptions?.setOption(.autoRead, value: true)
            return channel
        }
        guard let channel = try? await wrapped.get() else { return }
        try? await channel.executeThenClose { incoming, _ in
            try await script(Connection(incoming: incoming.makeAsyncIterator(), channel: channel.channel))
        }
    }

    package func url(_ path: String = "/", host: String = "127.0.0.1") -> String { "http://\(host):\(port)\(path)" }
}

extension ScriptedServer {
    /// A connection, for the one task that runs its script.
    package final class Connection {
        private var incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private let channel: any NIOCore.Channel
        private var unread = ByteBuffer()

        init(incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, channel: any NIOCore.Channel) {
            self.incoming = incoming
            self.channel = channel
        }

        /// The next request's head, up to its empty line, and as many bytes of body as it announces. Nil once the peer
        /// has closed.
        package func request() async throws -> String? {
            var text = ""
            while true {
                if let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) {
                    let length = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                        .flatMap {
                            Int($0.dropFirst(16))
                        }
                    let missing = (length ?? 0) - text.utf8.distance(from: end.upperBound, to: text.utf8.endIndex)
                    if missing <= 0 { return text }
                }
                guard let more = try await incoming.next(isolation: #isolation) else { return nil }
                text += String(buffer: more)
            }
        }

        /// The next bytes, at least so many of them; fewer once the peer has closed.
        package func bytes(atLeast count: Int) async throws -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < count, let more = try await incoming.next(isolation: #isolation) {
                bytes += Array(buffer: more)
            }
            return bytes
        }

        /// Ends this side of the connection: the peer reads its end, and may go on sending.
        package func halfClose() async throws { try await channel.close(mode: .output) }

        /// Ends the connection with a reset.
        package func reset() async throws {
            try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            try await channel.close()
        }

        /// Waits until the peer has closed.
        package func closed() async throws { while try await incoming.next(isolation: #isolation) != nil {} }

        /// Returns once the bytes are with the system, so a peer that does not read stops the script.
        package func write(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

        package func write(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

        /// Lets time pass, for a server that is slow by intent.
        package func pause(milliseconds: Int) async throws {
            try await channel.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {}.futureResult.get()
        }
    }
}
