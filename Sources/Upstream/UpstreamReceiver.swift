package import NIOCore

/// Takes what comes of a call that was started by `UpstreamClient.start`.
package protocol UpstreamReceiver: AnyObject, Sendable {
    /// Decides from the head how many bytes of the body are worth a piece. Called on the client's thread, at most once;
    /// pure.
    func minimum(for head: UpstreamHead) -> Int

    /// Takes one event, always on the call's event loop: one head, pieces, one end. A call may end without a head, and
    /// nothing comes after the end.
    func receive(_ event: UpstreamEvent)
}

/// An event of a call.
package enum UpstreamEvent: Sendable, Equatable {
    /// The final answer's (never a 1xx's).
    case head(UpstreamHead)
    case piece(UpstreamPiece)
    /// The end; nil if the body ended well. Bytes that came before a failure have been handed over.
    case end(UpstreamError?)
}

/// A call in flight, for the one that started it. Any thread may call its methods.
package protocol UpstreamTransfer: AnyObject, Sendable {
    /// Aborts the call. On the call's event loop nothing more is received from then on; another thread may find an
    /// event just being received. Does nothing once the call has ended.
    func cancel()

    /// Makes the peer wait: at most a fixed amount is buffered for the receiver. Pieces that are on their way still
    /// come, and so do the head and, once no bytes are left, the end.
    func pause()

    /// Lets pieces come again.
    func resume()
}

extension UpstreamClient {
    /// Starts a call by means of `withCall`, in a task.
    package func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer {
        let transfer = TaskTransfer(on: eventLoop, to: receiver)
        transfer.run(request, patience: patience, by: self)
        return transfer
    }
}
