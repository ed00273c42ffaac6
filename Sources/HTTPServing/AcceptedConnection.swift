internal import HummingbirdCore
package import NIOCore
package import NIOHTTPTypes

/// A connection that was accepted, on its way to the task that serves it.
///
/// A server that stops drops those that it has accepted and not begun to serve. NIO takes it for a fault, and ends the
/// process, if the writer of such a connection is dropped unfinished.
package final class AcceptedConnection: ServerChildChannelValue {
    package let asyncChannel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package var channel: any Channel { asyncChannel.channel }

    init(_ asyncChannel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>) { self.asyncChannel = asyncChannel }

    deinit {
        // Neither does anything to a connection that was served.
        asyncChannel.outbound.finish()
        channel.close(promise: nil)
    }
}
