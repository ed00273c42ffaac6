internal import NIOCore
internal import NIOHTTP1

/// Stands right behind a decoder, which hands its requests on by itself, and tells it how far it has come. It mends
/// what of a head would be read in two ways.
final class RequestDecoderWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let decoder: RequestDecoder

    init(_ decoder: RequestDecoder) { self.decoder = decoder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            decoder.begin(head)
            var isMended = false
            if head.isLast {
                // What the client sends behind it is not read. Hummingbird knows the option in this spelling alone.
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                isMended = true
            }
            if head.method != .CONNECT, let authority = head.targetAuthority, head.hasGoodHost {
                // RFC 9112 §3.2.2: a target with a host of its own is for that one.
                head.headers.replaceOrAdd(name: "Host", value: authority)
                isMended = true
            }
            if isMended { return context.fireChannelRead(wrapInboundOut(.head(head))) }
        case .end: decoder.end()
        case .body: break
        }
        context.fireChannelRead(data)
    }
}
