import NIOCore
import NIOPosix

/// A peer that sends a byte of its answer now and then, for a while. Event loops do all of it and no task, so it speaks
/// however busy this process is.
final class Speaker: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let pause = TimeAmount.milliseconds(20)
    private let time: TimeAmount

    private init(time: TimeAmount) { self.time = time }

    /// Runs a server of such peers while `body` runs.
    /// - Parameter milliseconds: how long each speaks.
    static func run(milliseconds: Int64, _ body: (_ port: Int) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Speaker(time: .milliseconds(milliseconds)))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(server.localAddress?.port ?? 0) } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = context.channel
        channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), promise: nil)
        let speaking = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.pause, delay: Self.pause) { _ in
            channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil)
        }
        context.eventLoop.scheduleTask(in: time) {
            speaking.cancel()
            channel.close(promise: nil)
        }
    }
}
