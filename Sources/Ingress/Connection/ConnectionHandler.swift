internal import Common
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Sits between the HTTP decoder and Hummingbird, for what Hummingbird leaves to others:
/// - it notices at once that a client went away. A half-closed connection counts as gone, as nginx holds it: the two cannot be told apart, and
///   waiting for an answer that nobody reads costs a paid call;
/// - it answers a request that cannot be parsed in the same form as every other error (Hummingbird's own answer has no body);
/// - it does not read for ever what a refused client goes on sending.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a client may go on sending a request that has been answered.
    private static let lingering = TimeAmount.seconds(2)

    private let connections: Connections
    private let identity: AnswerIdentity
    private var unanswered = 0
    private var isReadingBody = false

    init(connections: Connections, identity: AnswerIdentity) {
        self.connections = connections
        self.identity = identity
    }

    func handlerAdded(context: ChannelHandlerContext) {
        _ = connections.add(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connections.remove(context.channel)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case ChannelEvent.inputClosed = event else { return }
        // An idle connection is closed by Hummingbird; one that waits for an answer would not be.
        connections.remove(context.channel)
        if unanswered > 0 { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            unanswered += 1
            isReadingBody = true
            // Clients such as curl hold a large body back for a second unless they are asked for it (RFC 9110 §10.1.1).
            if head.headerFields[.expect] == "100-continue", unanswered == 1 {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .end: isReadingBody = false
        case .body: break
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered -= 1
            if isReadingBody { closeUnlessReadSoon(context: context) }
        }
        context.write(data, promise: promise)
    }

    private func closeUnlessReadSoon(context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
            if self.isReadingBody { context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        // An answer in between others would be taken for another request's.
        guard unanswered == 0 else { return context.close(promise: nil) }
        let answer = GatewayError(parserError: error)
        var response = HTTPResponse(status: .init(code: answer.status), headerFields: [.connection: "close", .contentType: "application/json"])
        response.headerFields[.contentLength] = String(answer.json.count)
        identity.sign(&response.headerFields, as: identity.next())
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: answer.json))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }
}

extension GatewayError {
    fileprivate init(parserError: HTTPParserError) {
        switch parserError {
        case .headerOverflow:
            self = .invalidRequest(
                431, code: "headers_too_large",
                "The request has too many headers or they are too large. Send fewer, or let the operator raise MAX_HEADERS or MAX_HEADER_BYTES.")
        default:
            self = .invalidRequest(
                code: "malformed_request", "The request is not valid HTTP/1.1. Check what builds it: line ends, header names, Content-Length.")
        }
    }
}
