internal import NIOConcurrencyHelpers
package import NIOCore
internal import NIOHTTPTypes

/// The open connections of a port. When the limit is reached, connections for which nothing is done give way, the
/// longest idle first. Otherwise clients that stand idle would keep all others out.
package final class IdleConnections: Sendable {
    private struct Entry {
        let channel: any Channel
        /// The time since which it stands idle or brings its request; nil: its answer is being made.
        var since: NIODeadline?
    }

    private struct State {
        var open: [ObjectIdentifier: Entry] = [:]
        /// Whether it is looked at again soon.
        var isScheduled = false
    }

    /// The time for which a connection stays open after it was accepted or answered: it may bring its request.
    private static let youth = TimeAmount.milliseconds(50)

    private let limit: Int
    private let state = NIOLockedValueBox(State())

    /// - Parameter limit: the most connections that are open at once.
    package init(limit: Int) { self.limit = limit }

    /// Makes the handler of one connection.
    package func handler() -> any ChannelDuplexHandler & RemovableChannelHandler { IdleConnectionHandler(self) }

    fileprivate func add(_ channel: any Channel) {
        state.withLockedValue { $0.open[ObjectIdentifier(channel)] = Entry(channel: channel, since: .now()) }
        makeRoom(from: channel.eventLoop)
    }

    fileprivate func remove(_ channel: any Channel) {
        _ = state.withLockedValue { $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    fileprivate func note(_ channel: any Channel, idleSince since: NIODeadline?) {
        state.withLockedValue { $0.open[ObjectIdentifier(channel)]?.since = since }
    }

    /// Closes some, if all are open that may be, and looks again as long as that is so.
    private func makeRoom(from eventLoop: any EventLoop) {
        let oldEnough = NIODeadline.now() - Self.youth
        let (leaving, isDue) = state.withLockedValue { state -> ([any Channel], Bool) in
            guard state.open.count >= limit else { return ([], false) }
            let idle = state.open.values.compactMap { entry in entry.since.map { (entry.channel, $0) } }
                .filter { $0.1 <= oldEnough }.sorted { $0.1 < $1.1 }
            let isDue = !state.isScheduled
            state.isScheduled = true
            return (idle.prefix(max(limit / 2, 1)).map(\.0), isDue)
        }
        for channel in leaving { channel.close(promise: nil) }
        guard isDue else { return }
        eventLoop.scheduleTask(in: Self.youth) {
            self.state.withLockedValue { $0.isScheduled = false }
            self.makeRoom(from: eventLoop)
        }
    }
}

/// Tells when a connection stands idle.
private final class IdleConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: IdleConnections
    /// Requests that were read to their end, less those that were answered.
    private var waiting = 0

    init(_ connections: IdleConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { connections.add(context.channel) }

    func handlerRemoved(context: ChannelHandlerContext) { connections.remove(context.channel) }

    func channelInactive(context: ChannelHandlerContext) {
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: note(context)
        // A request is as old as its head, however its body drips.
        case .body: break
        case .end:
            waiting += 1
            note(context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            waiting -= 1
            note(context)
        }
        context.write(data, promise: promise)
    }

    private func note(_ context: ChannelHandlerContext) {
        connections.note(context.channel, idleSince: waiting > 0 ? nil : .now())
    }
}
