internal import Common
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Sits between the HTTP decoder and Hummingbird, for what Hummingbird leaves to others:
/// - it notices at once that a client went away. A half-closed connection counts as gone, as nginx holds it: the two
///   cannot be told apart, and waiting for an answer that no client reads costs a paid call;
/// - it answers a request that cannot be parsed in the same form as every other error (Hummingbird's own answer has no
///   body);
/// - it does not read for ever what a refused client goes on sending, nor a request that comes too slowly;
/// - it tells a client to go on that asks before it sends its body (`Expect: 100-continue`);
/// - it closes no connection of a stopping process on which a request may be under way;
/// - it closes behind a last answer so that the answer arrives, though the client goes on sending (`LingeringClose`).
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The time for which a client may go on sending a request that has been answered.
    private static let restOfRequest = TimeAmount.seconds(2)
    /// The time for which a connection of a stopping process may still bring its last request.
    private static let lastCall = TimeAmount.seconds(1)

    /// The error for a request that comes too slowly.
    fileprivate struct SlowRequest: Error {}

    private let connections: Connections
    private let identity: ResponseIdentity
    private var connection: Connection?
    /// The number of the answer that is being written.
    private var answerNumber = 0
    /// Requests whose heads have come.
    private var heads = 0
    private var unanswered = 0
    private var isReadingBody = false
    /// Whether the head of an answer has left and its end has not.
    private var isAnswering = false
    private var isStopping = false
    /// Whether the connection closes behind the answer to the last request that has come.
    private var isLast = false
    /// Whether what still comes is dropped: a request was refused that is not whole, or the last answer is written.
    private var isGivenUp = false
    /// The error with which a request that is not whole is refused, once those before it are answered.
    private var refusal: (any Error)?
    /// The close behind the connection's last answer; nil while that answer is not written.
    private var closing: LingeringClose?

    init(connections: Connections, identity: ResponseIdentity) {
        self.connections = connections
        self.identity = identity
    }

    func handlerAdded(context: ChannelHandlerContext) {
        connection = connections.add(context.channel)
        answerNumber = connection?.beginAnswer() ?? 0
        let pipeline = context.pipeline.syncOperations
        do {
            if let connection { try pipeline.addHandler(ReadingHandler(connection), position: .first) }
            try pipeline.addHandler(
                VersionHandler(), position: .before(pipeline.handler(type: HTTP1ToHTTPServerCodec.self)))
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connections.remove(context.channel)
        // It holds the context, which holds this handler.
        closing?.end()
        closing = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let closing {
            guard !(event is ChannelShouldQuiesceEvent || event is Connections.TooSlow) else { return }
            if case ChannelEvent.inputClosed = event { closing.inputClosed() }
            return context.fireUserInboundEventTriggered(event)
        }
        if event is ChannelShouldQuiesceEvent, !isStopping {
            isStopping = true
            if unanswered == 0 { closeAfterLastCall(context: context) }
            return
        }
        if event is Connections.TooSlow {
            // It may have gone on meanwhile.
            if let connection, connections.isTooSlow(connection) { errorCaught(context: context, error: SlowRequest()) }
            return
        }
        context.fireUserInboundEventTriggered(event)
        guard case ChannelEvent.inputClosed = event else { return }
        // An idle connection is closed by Hummingbird; one that waits for an answer would not be.
        connections.remove(context.channel)
        if unanswered > 0 { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isGivenUp else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            // The client was told that the answer before it is the last one.
            guard !isLast else {
                isGivenUp = true
                return
            }
            connection?.note { $0.readPiece(at: .now()) }
            heads += 1
            unanswered += 1
            isReadingBody = true
            isLast = head.asksToClose
            allowBody(of: head, context: context)
            return context.fireChannelRead(wrapInboundOut(.head(head.withPlainConnection)))
        case .end:
            connection?.note { $0.endRequest() }
            isReadingBody = false
        case .body: connection?.note { $0.readPiece(at: .now()) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        closing?.hasRead()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard closing == nil else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isAnswering = true
            isLast = isLast || isStopping && unanswered == 1
            if isLast, unanswered == 1 { return writeLast(head, context: context, promise: promise) }
        case .body(let bytes): return writeBody(bytes, context: context, promise: promise)
        case .end:
            isAnswering = false
            answerNumber = connection?.beginAnswer() ?? 0
            connection?.note { $0.endAnswer(at: .now()) }
            unanswered -= 1
            if let refusal {
                context.writeAndFlush(data, promise: promise)
                return refuse(refusal, context)
            }
            if isLast, unanswered == 0 {
                context.writeAndFlush(data, promise: promise)
                return finish(context)
            }
            // With pipelining it may be a later request's body that is being read, which is not refused.
            if isReadingBody, unanswered == 0 { closeUnlessReadSoon(context: context) }
            // Its head had left before the process was told to stop.
            if isStopping, unanswered == 0 { closeAfterLastCall(context: context) }
        }
        context.write(data, promise: promise)
    }

    /// Hummingbird and others end what they write with this; behind a last answer that is done here.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard closing != nil, mode == .output else { return context.close(mode: mode, promise: promise) }
        promise?.succeed()
    }

    /// Counts what the socket takes: a client that leaves has had that, and no more.
    private func writeBody(_ bytes: ByteBuffer, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let connection else { return context.write(wrapOutboundOut(.body(bytes)), promise: promise) }
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess { [answerNumber, count = bytes.readableBytes] in
            connection.handOver(count, of: answerNumber)
        }
        context.write(wrapOutboundOut(.body(bytes)), promise: promise)
    }

    /// Clients such as curl hold a large body back for a second unless they are asked for it (RFC 9110 §10.1.1).
    private func allowBody(of head: HTTPRequest, context: ChannelHandlerContext) {
        guard unanswered == 1, head.headerFields[.expect]?.equalsIgnoringASCIICase("100-continue") ?? false else {
            return
        }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    /// Closes an idle connection of a stopping process, but not at once. A client that keeps its connections, as a load
    /// balancer does, may be sending a request at that moment. It could not know whether work on the request had begun.
    /// So there is time for one more request, whose answer says that the connection closes.
    private func closeAfterLastCall(context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lastCall) {
            if self.unanswered == 0 { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        }
    }

    /// Begins the last answer of a connection.
    private func writeLast(_ head: HTTPResponse, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var head = head
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private func closeUnlessReadSoon(context: ChannelHandlerContext) {
        let refused = heads
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.restOfRequest) {
            if self.isReadingBody, self.heads == refused, self.closing == nil { self.finish(context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard GatewayError(connectionError: error) != nil else { return context.fireErrorCaught(error) }
        guard closing == nil, refusal == nil else { return }
        isGivenUp = true
        // An answer in between others would be taken for another request's.
        if isAnswering || unansweredBefore > 0 { refusal = error } else { refuse(error, context) }
    }

    /// Whole requests that wait for their answers; -1: the request that is being read was answered.
    private var unansweredBefore: Int { unanswered - (isReadingBody ? 1 : 0) }

    /// Refuses the request that is not whole, once those before it are answered. One that was answered already, though
    /// it was not read to its end, is not answered again.
    private func refuse(_ error: any Error, _ context: ChannelHandlerContext) {
        guard unansweredBefore <= 0, let answer = GatewayError(connectionError: error) else { return }
        // A request that is being read on this connection is not whole, and never will be.
        connections.remove(context.channel)
        guard unansweredBefore == 0 else { return finish(context) }
        var response = HTTPResponse(status: .init(code: answer.status), headerFields: answer.fields)
        response.headerFields[.connection] = "close"
        response.headerFields[.contentLength] = String(answer.json.count)
        response.headerFields.sandbox()
        identity.addHeaders(to: &response.headerFields, of: identity.next())
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: answer.json))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        finish(context)
    }

    /// Closes the connection behind the last answer, so that the answer arrives.
    private func finish(_ context: ChannelHandlerContext) {
        isGivenUp = true
        let closing = LingeringClose(context)
        self.closing = closing
        closing.begin()
    }
}

extension HTTPRequest {
    fileprivate var asksToClose: Bool {
        headerFields[.connection]?.utf8.split { ", \t".utf8.contains($0) }.contains {
            String(Substring($0)).equalsIgnoringASCIICase("close")
        } ?? false
    }

    /// The request with `Connection: close` or without the header, which is a list in any case (RFC 9110 §7.6.1).
    /// Hummingbird knows the one option in this one spelling, and compares the value as text, in quadratic time for
    /// marks.
    fileprivate var withPlainConnection: HTTPRequest {
        guard headerFields[.connection] != nil else { return self }
        var request = self
        request.headerFields[.connection] = asksToClose ? "close" : nil
        return request
    }
}

extension GatewayError {
    /// Nil for an error that is not the request's.
    fileprivate init?(connectionError: any Error) {
        switch connectionError {
        case HTTPParserError.headerOverflow:
            self = .invalidRequest(
                431, code: "headers_too_large",
                "The request has too many headers or they are too large. Send fewer, or let the operator raise MAX_HEADERS or MAX_HEADER_BYTES."
            )
        case is ConnectionHandler.SlowRequest:
            self = GatewayError(
                status: 408, type: "invalid_request_error", code: "request_too_slow",
                message: "The request did not come in time: its head, or the next piece of its body, within "
                    + "CLIENT_READ_TIMEOUT, and all of it within REQUEST_TIMEOUT. Nothing was done; send it again.",
                shouldRetry: true)
        case is VersionHandler.BadHost:
            self = .invalidRequest(
                code: "malformed_request",
                "The request must have one Host header with a host and perhaps a port, such as `Host: 127.0.0.1:4000`.")
        case let error as VersionHandler.UnknownTransferCoding:
            self = GatewayError(
                status: 501, type: "invalid_request_error", code: "unsupported_transfer_encoding",
                message: "The gateway takes a body in chunks, and in no other coding of the transfer; the request has "
                    + "Transfer-Encoding `\(HeaderText.escaped(HeaderText.cut(error.value)))`. Name the coding of a "
                    + "compressed body in Content-Encoding.",
                param: "transfer-encoding", shouldRetry: false)
        case is HTTPParserError:
            self = .invalidRequest(
                code: "malformed_request",
                "The request is not valid HTTP/1.1. Check what builds it: line ends, header names, Content-Length.")
        default: return nil
        }
    }
}
