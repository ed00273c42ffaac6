internal import Common

/// Decides from the bytes of an answer with a status of success whether its completion succeeded. Pure: the bytes stay
/// as they are.
///
/// An answer failed if its reader must take it for a failure. That is an answer with an error in its body, in an event
/// or in a choice. A stream that stops in the middle failed too, and so did an answer that is not a completion. The
/// first bytes tell a stream from a body, since the content type may be wrong.
struct CompletionCheck: Sendable {
    private var form = ResponseForm()
    private var body = BodyCheck()
    /// Nil while nothing of the answer is known.
    private var stream: StreamCheck?
    /// Bytes of the answer so far.
    private var count = 0

    /// Takes the next bytes of the answer.
    mutating func take(_ piece: [UInt8]) {
        count += piece.count
        guard let bytes = form.take(piece) else { return }
        if stream == nil { stream = StreamCheck(after: count - bytes.count) }
        // A reader of streams finds the events behind a text that is not an event.
        stream?.take(bytes)
        if form.isEventStream != true { body.take(bytes) }
    }

    /// Whether the answer is one JSON object from end to end.
    var isWholeObject: Bool { form.isEventStream != true && body.isWholeObject }

    /// Whether the first bytes of a stream hold the whole answer.
    /// - Parameters:
    ///   - count: how many bytes.
    ///   - choices: how many choices were asked for; looked up once all that have begun are finished.
    func isWhole(within count: Int, choices: @autoclosure () -> Int) -> Bool {
        stream?.isWhole(within: count, choices: choices) ?? false
    }

    /// Ends the answer.
    /// - Returns: the failure; nil if the completion succeeded.
    mutating func end() -> CompletionFailure? {
        if form.isEventStream == nil { body.take(form.begun) }
        if form.isEventStream != true, let failure = body.end() {
            guard !body.isWholeObject, stream?.hasParts == true else { return failure }
        } else if form.isEventStream != true {
            return nil
        }
        return stream?.end()
    }
}
