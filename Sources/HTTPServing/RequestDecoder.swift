internal import NIOCore
internal import NIOHTTP1

/// Decodes the requests of a connection, one after the other, even if they offer another protocol.
///
/// NIO's decoder stands still for ever after a request that offers another protocol (`Upgrade`, RFC 9110 §7.8) or asks
/// for a tunnel (`CONNECT`). Its handler keeps the bytes that come then. It also keeps all that follows a request which
/// cannot be parsed. Here the offer is ignored: a new decoder goes on behind the request. Bytes behind a request that
/// must be the last one are dropped as they come. NIO's decoder would call them an error, which would cost the request
/// its answer.
///
/// A decoder whose message has ended does not say whether it stopped. So each is given bytes up to the end of a message
/// and no further (`MessageCut`): there, a new one is as good as one that did not stop.
final class RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    private let limits: NIOHTTPDecoderLimitConfiguration
    private var decoder: HTTPRequestDecoder
    private var cut = MessageCut()
    /// Buffered bytes at the front that the decoder has seen and wants to see again, as it is inside a name or a value.
    private var seen = 0
    /// Whether the request that is read may stop the decoder.
    private var mayStop = false
    /// Whether nothing is read after the request that is read.
    private var isLast = false
    private var hasStopped = false
    /// Whether nothing is read any more.
    private var hasEnded = false

    init(limits: NIOHTTPDecoderLimitConfiguration) {
        self.limits = limits
        decoder = HTTPRequestDecoder(limitConfiguration: limits)
    }

    func decoderAdded(context: ChannelHandlerContext) { decoder.decoderAdded(context: context) }

    func decoderRemoved(context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
        do {
            while !hasEnded, seen < buffer.readableBytes { try step(context: context, buffer: &buffer) }
        } catch {
            end(with: error, context: context)
        }
        if hasEnded { buffer.moveReaderIndex(to: buffer.writerIndex) }
        return .needMoreData
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) -> DecodingState {
        _ = decode(context: context, buffer: &buffer)
        guard !hasEnded, seenEOF else { return .needMoreData }
        // It says whether the connection ended in the middle of a request.
        do { _ = try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: true) } catch {
            end(with: error, context: context)
        }
        return .needMoreData
    }

    /// Is told of each request's head that was decoded.
    func begin(_ head: HTTPRequestHead) {
        cut.begin(head)
        mayStop = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        isLast = head.isLast
    }

    /// Is told that a request was decoded to its end.
    func end() {
        hasStopped = mayStop
        hasEnded = isLast
    }

    private func step(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws {
        let count = seen + cut.next(buffer.readableBytesView.dropFirst(seen))
        guard var window = buffer.getSlice(at: buffer.readerIndex, length: count) else { return }
        _ = try decoder.decode(context: context, buffer: &window)
        buffer.moveReaderIndex(forwardBy: count - window.readableBytes)
        seen = window.readableBytes
        guard hasStopped else { return }
        hasStopped = false
        seen = 0
        decoder.decoderRemoved(context: context)
        decoder = HTTPRequestDecoder(limitConfiguration: limits)
        decoder.decoderAdded(context: context)
    }

    /// Passes an error on. It is not thrown: the handler that is thrown one keeps all that comes after it.
    private func end(with error: any Error, context: ChannelHandlerContext) {
        hasEnded = true
        context.fireErrorCaught(error)
    }
}
