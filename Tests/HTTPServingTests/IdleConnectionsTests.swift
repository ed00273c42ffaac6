import HTTPServing
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

/// Which connections give way on a port that has as many as it may have.
@Suite(.timeLimit(.minutes(5))) struct IdleConnectionsTests {
    private static let head = HTTPRequestPart.head(
        HTTPRequest(method: .post, scheme: "http", authority: "g", path: "/"))

    /// A connection to a port that may have one, and so looks for room all the time.
    private func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: IdleConnections(limit: 1).handler())
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
        return channel
    }

    /// - Parameter act: what the client does in between.
    /// - Returns: whether the connection is closed before a time that is many times as long as it needs.
    private func givesWay(
        _ channel: EmbeddedChannel, within time: TimeAmount, _ act: () throws -> Void = {}
    ) throws -> Bool {
        let end = NIODeadline.now() + time
        while channel.isActive, NIODeadline.now() < end {
            try act()
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(50))
        }
        return !channel.isActive
    }

    @Test func `one that stands idle gives way`() throws {
        #expect(try givesWay(try connection(), within: .seconds(60)))
    }

    /// A client that sends a byte now and then keeps no other out.
    @Test func `one whose body drips gives way`() throws {
        let channel = try connection()
        try channel.writeInbound(Self.head)
        #expect(
            try givesWay(channel, within: .seconds(60)) {
                try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
            })
    }

    @Test func `one whose answer is being made stays`() throws {
        let channel = try connection()
        try channel.writeInbound(Self.head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        #expect(try !givesWay(channel, within: .milliseconds(500)))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
