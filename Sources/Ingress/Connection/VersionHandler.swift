internal import HTTPServing
internal import NIOCore
internal import NIOHTTP1

/// Sees to what differs between HTTP/1.0 and 1.1. It stands right behind the decoder, since further on a request tells
/// neither its version nor how often it named its host:
/// - a request must have one `Host` that cannot be taken for a path; HTTP/1.0 may have none (RFC 9112 §3.2);
/// - a client of HTTP/1.0 knows no chunks: its answer ends with its connection.
final class VersionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The error for a request without a host, or with more than one.
    struct BadHost: Error {}

    /// Whether a request was refused. Nothing that follows it on this connection is read.
    private var isRefused = false
    private var isHTTP10 = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        guard head.hasGoodHost else {
            isRefused = true
            return context.fireErrorCaught(BadHost())
        }
        guard head.version == .http1_0 else { return context.fireChannelRead(data) }
        isHTTP10 = true
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isHTTP10, case .head(var head) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        head.version = .http1_0
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
