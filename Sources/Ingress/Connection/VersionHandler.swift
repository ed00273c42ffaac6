internal import HTTPServing
internal import NIOCore
internal import NIOHTTP1

/// Handles the differences between HTTP/1.0 and 1.1. It stands right behind the decoder. Further on, a request tells
/// neither its version, nor how often it named its host, nor how its body was sent. The rules are:
/// - a request must have one `Host` that cannot be taken for a path; HTTP/1.0 may have none (RFC 9112 §3.2);
/// - a client of HTTP/1.0 knows no chunks: its answer ends with its connection;
/// - a body may come in chunks, and in no other coding of the transfer (RFC 9112 §6.1): what is not undone would go on
///   without its label.
final class VersionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The error for a request without a host, or with more than one.
    struct BadHost: Error {}

    /// The error for a body in a coding of the transfer that is not undone here.
    struct UnknownTransferCoding: Error {
        /// The header's value.
        var value: String
    }

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
        if let coding = head.unknownTransferCoding {
            isRefused = true
            return context.fireErrorCaught(UnknownTransferCoding(value: coding))
        }
        guard head.version == .http1_0 else { return context.fireChannelRead(data) }
        isHTTP10 = true
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        // RFC 9110 §10.1.1: such a client would take the interim answer for its own.
        head.headers.remove(name: "Expect")
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

extension HTTPRequestHead {
    /// The value of `Transfer-Encoding` if it is anything else than `chunked`, once.
    fileprivate var unknownTransferCoding: String? {
        let values = headers["Transfer-Encoding"]
        guard !values.isEmpty else { return nil }
        let value = values.joined(separator: ", ")
        let words = value.utf8.split { " \t".utf8.contains($0) }
        let isChunked = words.count == 1 && words[0].elementsEqual("chunked".utf8) { $0 | 0x20 == $1 }
        return isChunked ? nil : value
    }
}
