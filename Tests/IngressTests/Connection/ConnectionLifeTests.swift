import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Testing

@testable import Common
@testable import Ingress

/// The life of what belongs to a connection: it ends with the connection.
struct ConnectionLifeTests {
    private weak var handler: ConnectionHandler?

    /// Answers one request as the last of its connection.
    /// - Returns: the channel, which is closed.
    private mutating func lastAnswer() throws -> EmbeddedChannel {
        let handler = ConnectionHandler(
            connections: Connections(bounds: .init(piece: .seconds(30), request: .seconds(300))),
            identity: ResponseIdentity(generator: InsertionIDGenerator()))
        self.handler = handler
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
        try pipeline.addHandlers(HTTP1ToHTTPServerCodec(secure: false), handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(string: "GET /health HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"))
        let answer = HTTPResponse(status: .ok, headerFields: [.contentLength: "0"])
        try channel.writeOutbound(HTTPResponsePart.head(answer))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        return channel
    }

    @Test mutating func `nothing is left of a connection that had its last answer`() throws {
        let channel = try lastAnswer()
        #expect(!channel.isActive, "it was closed behind the answer")
        channel.embeddedEventLoop.run()
        _ = try? channel.finish()
        #expect(handler == nil)
    }
}
