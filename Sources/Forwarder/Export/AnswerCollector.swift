internal import Common

/// Keeps what a span needs of an answer while its bytes pass by.
struct AnswerCollector: Sendable {
    /// Nil for an answer that is no stream.
    private var stream: StreamCollector?
    /// The pieces of a body are kept as they came, so that a short one is not copied.
    private var pieces: [[UInt8]] = []
    private var kept = 0
    private var count = 0
    let status: Int
    /// When the first part of a streamed message came, in milliseconds since 1970.
    private(set) var firstToken: UInt64?

    /// - Parameter head: the provider's, before any of its headers are left out.
    init(head: UpstreamHead) {
        status = head.status
        if (200..<300).contains(head.status), head.isEventStream { stream = StreamCollector() }
    }

    /// - Parameter time: now, in milliseconds since 1970; asked for at most once.
    mutating func take(_ piece: [UInt8], at time: @autoclosure () -> UInt64) {
        guard stream == nil else {
            stream?.take(piece)
            if firstToken == nil, stream?.hasToken == true { firstToken = time() }
            return
        }
        count += piece.count
        let room = SpanLimits.body - kept
        guard room > 0 else { return }
        pieces.append(piece.count <= room ? piece : Array(piece.prefix(room)))
        kept += min(piece.count, room)
    }

    /// The answer as far as it has come.
    func collected() -> CollectedAnswer {
        if let stream { return stream.collected() }
        let bytes = pieces.count == 1 ? pieces[0] : Array(pieces.joined())
        guard !(200..<300).contains(status) else { return CollectedAnswer(body: bytes, of: count) }
        var answer = CollectedAnswer()
        answer.error = ProviderError.text(ofBody: bytes)
        return answer
    }
}
