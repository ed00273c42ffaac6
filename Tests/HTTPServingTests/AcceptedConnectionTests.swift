import HTTPServing
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import Testing

/// A server that stops drops connections that it has accepted and not begun to serve.
@Suite(.timeLimit(.minutes(5))) struct AcceptedConnectionTests {
    @Test(arguments: ["", "GET /health HTTP/1.1\r\nHost: g\r\n\r\n"])
    func `a connection that is dropped unserved is closed`(received: String) async throws {
        let server = ServerChannel(
            responder: { _, _, _ in Issue.record("it was served") }, configuration: .init(), lastHandler: { nil })
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).get()
        var connection: AcceptedConnection? = try await channel.testingEventLoop.executeInContext {
            server.setup(channel: channel, logger: Logger(label: "", factory: { _ in SwiftLogNoOpLogHandler() }))
        }.get()
        if !received.isEmpty { try await channel.writeInbound(ByteBuffer(string: received)) }
        #expect(channel.isActive && connection != nil)
        // NIO ended the process here.
        connection = nil
        try await channel.closeFuture.get()
    }
}
