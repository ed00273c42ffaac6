package import HummingbirdCore
package import Logging
package import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// One connection to a server of ours: Hummingbird's `HTTP1Channel`, but for how requests are decoded, and for its log.
/// Hummingbird writes errors there with all that is in them, which can be a part of a request; no byte of a request
/// belongs into a log.
package struct ServerChannel: ServerChildChannel, HTTPChannelHandler {
    package typealias Value = AcceptedConnection

    package let responder: HTTPChannelHandler.Responder
    private let configuration: HTTP1Channel.Configuration
    private let lastHandler: @Sendable () -> (any RemovableChannelHandler)?
    private static let silent = Logger(label: "connection", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter lastHandler: makes the handler that sees requests right before Hummingbird does.
    package init(
        responder: @escaping HTTPChannelHandler.Responder, configuration: HTTP1Channel.Configuration,
        lastHandler: @escaping @Sendable () -> (any RemovableChannelHandler)?
    ) {
        self.responder = responder
        self.configuration = configuration
        self.lastHandler = lastHandler
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.httpDecoder.maxHeaderFieldSize
            limits.maxHeaderListSize = configuration.httpDecoder.maxHeaderListSize
            limits.maxHeaderFieldCount = configuration.httpDecoder.maxHeaderFieldCount
            let decoder = RequestDecoder(limits: limits)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers([
                HTTPResponseEncoder(), ByteToMessageHandler(decoder), RequestDecoderWatch(decoder),
            ])
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandlers(configuration.additionalChannelHandlers())
            try pipeline.addHandler(
                HTTPConnectionStateHandler(
                    idleTimeout: configuration.idleTimeout.map { .init($0) }, logger: Self.silent))
            if let lastHandler = lastHandler() { try pipeline.addHandler(lastHandler) }
            return AcceptedConnection(
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
        }
    }

    package func handle(value connection: AcceptedConnection, logger: Logger) async {
        await handleHTTP(asyncChannel: connection.asyncChannel, logger: Self.silent)
    }
}

extension HTTPServerBuilder {
    /// A server of HTTP/1.1.
    /// - Parameter lastHandler: makes the handler that sees requests right before Hummingbird does.
    package static func serving(
        _ configuration: HTTP1Channel.Configuration,
        lastHandler: @escaping @Sendable () -> (any RemovableChannelHandler)? = { nil }
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { ServerChannel(responder: $0, configuration: configuration, lastHandler: lastHandler) }
    }
}
