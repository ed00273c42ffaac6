internal import NIOCore

/// Closes a connection behind its last answer so that the answer arrives.
///
/// A connection that is closed while its client still sends is reset, and the client loses what it has not yet read. So
/// the sending side is closed alone, behind the last byte of the answer. All that the client sends from then on is read
/// and dropped. That ends when the client closes its side, has been silent for a while, or has gone on for too long.
final class LingeringClose {
    /// The time of silence after which the client is taken to send nothing more.
    private static let silence = TimeAmount.seconds(2)
    /// The time for which a client may go on sending.
    private static let longest = TimeAmount.seconds(10)

    private let context: ChannelHandlerContext
    /// The time at which all of the answer was handed to the system; nil: it has not been yet.
    private var began: NIODeadline?
    private var lastRead: NIODeadline
    private var isInputClosed = false
    private var timer: Scheduled<Void>?

    /// - Parameter context: that of the handler which sees all that comes and drops it.
    init(_ context: ChannelHandlerContext) {
        self.context = context
        lastRead = context.eventLoop.now
    }

    func begin() {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.outputClosed() }
        context.close(mode: .output, promise: written)
        // What is to be answered may have kept the connection from being read.
        context.read()
    }

    /// Bytes have come, and were dropped.
    func hasRead() {
        lastRead = context.eventLoop.now
        if !isInputClosed { context.read() }
    }

    /// The client has closed its side.
    func inputClosed() {
        isInputClosed = true
        if began != nil { context.close(promise: nil) }
    }

    /// The connection has been closed.
    func end() {
        timer?.cancel()
        timer = nil
    }

    private func outputClosed() {
        began = context.eventLoop.now
        guard context.channel.isActive else { return }
        if isInputClosed { context.close(promise: nil) } else { schedule(in: Self.silence) }
    }

    private func schedule(in time: TimeAmount) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.look() }
    }

    private func look() {
        let now = context.eventLoop.now
        let end = min((began ?? now) + Self.longest, lastRead + Self.silence)
        if now >= end { context.close(promise: nil) } else { schedule(in: end - now) }
    }
}
