internal import Common
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Takes chat completions off a connection and has them answered on its event loop, without a task. All other requests
/// go on to Hummingbird untouched.
///
/// One request of a connection is worked on at a time, also of those that Hummingbird answers. What is sent behind it
/// is held back until its answer has been written, so that the answers leave in the order of the requests.
final class CompletionChannelHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Parts of later requests that are held back before the client has to wait.
    private static let heldParts = 16

    /// The part that answers the present request.
    private enum Turn {
        /// There is none.
        case none
        case hummingbird
        case call(CompletionCall)
        /// The connection's last answer was written.
        case over
    }

    private let controller: CompletionController
    private var context: ChannelHandlerContext?
    private var connection: Connection?
    private var turn = Turn.none
    /// Whether the present request's end has not come yet.
    private var isReading = false
    /// Whether the present request's answer was written to its end.
    private var isAnswered = false
    /// Whether the connection closes behind the present request's answer.
    private var isLast = false
    private var held = CircularBuffer<HTTPRequestPart>()
    /// Whether the channel wants to read on.
    private var isReadHeld = false
    private var isReleasing = false
    /// The host of the last request that was allowed; a client names the same one each time.
    private var allowedHost: String?

    init(controller: CompletionController) { self.controller = controller }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection = controller.connections[context.channel]
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        turn = .over
        held = []
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        // The call itself hears it from its connection.
        turn = .over
        held = []
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard held.isEmpty, takes(part) else { return held.append(part) }
        take(part, context)
    }

    func read(context: ChannelHandlerContext) {
        if held.count < Self.heldParts { context.read() } else { isReadHeld = true }
    }

    /// Hummingbird answers.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        context.write(data, promise: promise)
        isAnswered = true
        endTurn(context)
    }
}

extension CompletionChannelHandler {
    /// Whether a part belongs to the request whose turn it is.
    private func takes(_ part: HTTPRequestPart) -> Bool {
        guard case .head = part else { return isReading }
        if case .none = turn { return true }
        return false
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            (isReading, isAnswered) = (true, false)
            if let call = controller.call(for: head, on: context.eventLoop, connection, to: self) {
                turn = .call(call)
                // The decoder takes nothing that comes behind such a request.
                isLast = head.headerFields[.connection] == "close"
                return call.begin()
            }
            turn = .hummingbird
        case .body(let piece):
            if case .call(let call) = turn { return call.take(piece) }
        case .end:
            isReading = false
            if case .call(let call) = turn {
                call.endBody()
                return endTurn(context)
            }
        }
        if case .hummingbird = turn { context.fireChannelRead(wrapInboundOut(part)) }
        endTurn(context)
    }

    /// Goes on to the next request, once the present one has been read and answered.
    private func endTurn(_ context: ChannelHandlerContext) {
        guard !isReading, isAnswered else { return }
        if case .over = turn { return }
        turn = .none
        release(context)
    }

    /// Takes what was held back, as far as its turn has come.
    private func release(_ context: ChannelHandlerContext) {
        // An answer that is written at once ends its turn within this loop.
        guard !isReleasing, !held.isEmpty else { return }
        isReleasing = true
        while let part = held.first, takes(part) {
            held.removeFirst()
            take(part, context)
        }
        isReleasing = false
        context.fireChannelReadComplete()
        guard isReadHeld, held.count < Self.heldParts else { return }
        isReadHeld = false
        context.read()
    }
}

extension CompletionChannelHandler {
    /// Whether requests for a host may be answered.
    func isAllowed(_ host: String?, by hosts: AllowedHosts) -> Bool {
        if let host, allowedHost == host { return true }
        guard hosts.allows(host) else { return false }
        allowedHost = host
        return true
    }
}

/// The steps of a call on its client's connection.
extension CompletionChannelHandler {
    /// Writes the beginning of the answer, or all of it.
    func begin(_ head: HTTPResponse, _ body: ByteBuffer?, isWhole: Bool) {
        guard let context else { return }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body, body.readableBytes > 0 { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        if isWhole { end() } else { context.flush() }
    }

    /// Writes more of the answer.
    /// - Parameter taken: is called on the event loop when the socket has taken it.
    func write(_ body: ByteBuffer, taken: @escaping @Sendable () -> Void) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess(taken)
        context.writeAndFlush(wrapOutboundOut(.body(body)), promise: promise)
    }

    /// Ends the answer.
    func end() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        isAnswered = true
        guard isLast else { return endTurn(context) }
        turn = .over
        context.close(mode: .output, promise: nil)
    }

    /// Breaks the connection off: the answer has no other honest end.
    func breakOff() {
        turn = .over
        context?.close(promise: nil)
    }
}
