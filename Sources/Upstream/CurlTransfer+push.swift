extension CurlTransfer {
    /// The progress of a receiver with its call.
    struct PushState {
        /// The reasons why no pieces are passed on.
        struct Holds: OptionSet {
            let rawValue: UInt8
            /// The receiver wants none.
            static let paused = Self(rawValue: 1)
            /// Too much is underway to its event loop.
            static let behind = Self(rawValue: 2)
        }

        var holds: Holds = []
        /// Bytes that are worth a piece. Nil until the head was passed on.
        var minimum: Int?
    }

    /// Sets anew what the receiver waits for.
    func updateNeed(patience: Duration?) {
        need =
            if let minimum = push.minimum {
                push.holds.isEmpty ? .body(minimum: minimum, patience: patience) : .end
            } else {
                .head
            }
    }

    /// Passes on what the receiver gets now. Returns whether that was the end.
    func pass(to call: CurlPushedCall, through outbox: inout CurlOutbox) -> Bool {
        if push.minimum == nil, let head = answer.head {
            outbox.add(.head(head), for: call)
            push.minimum = call.minimum(for: head)
            updateNeed(patience: call.patience)
        }
        if case .body? = need, let need, has(need), body.count > 0 {
            let piece = UpstreamPiece(body.take(), isRest: end != nil)
            outbox.add(.piece(piece), for: call)
            if !call.noteSent(piece.bytes.count) { push.holds.insert(.behind) }
            updateNeed(patience: call.patience)
        }
        guard let end, body.count == 0 else { return false }
        outbox.add(.end(end.error), for: call)
        return true
    }
}
