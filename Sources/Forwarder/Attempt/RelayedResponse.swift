internal import Common
internal import Queue
internal import Upstream

/// The answer of one attempt on its way to the client: cut into frames, and looked at. Pure: bytes in, frames out.
struct RelayedResponse {
    private let succeeds: Bool
    private let minimum: Int
    private let isLocal: Bool
    /// The body that says how many choices are asked for. It is read only once all choices that have begun are
    /// finished.
    private let request: [UInt8]
    /// Takes out the event that tells the usage. Only a stream has such an event, under any content type.
    private var filter: UsageEventFilter?
    private var check: CompletionCheck?
    /// Bytes that the check has seen and that have not come here.
    private var checked = 0
    private(set) var framer: ResponseFramer

    /// - Parameters:
    ///   - headers: the gateway's own, beside those that the provider may send.
    ///   - isLocal: whether the client is in this process.
    init(_ head: UpstreamHead, saying headers: [HeaderField] = [], to job: Job, of target: Target, isLocal: Bool) {
        self.isLocal = isLocal
        succeeds = (200..<300).contains(head.status)
        minimum = ResponseFramer.minimum(for: head, isStream: job.isStream, window: job.window)
        filter = target.hidesUsage && succeeds ? UsageEventFilter() : nil
        check = succeeds && job.path == Provider.chatCompletions ? CompletionCheck() : nil
        request = target.request.body
        framer = ResponseFramer(
            head: UpstreamHead(
                status: head.status, headers: ResponseHeaders.select(from: head.headers, status: head.status) + headers)
        )
    }

    /// Goes on with a check that has seen the next bytes, none of which have come here yet.
    mutating func adopt(_ other: CompletionCheck?, after count: Int) {
        // A check sees what its client is shown.
        guard let other, check != nil, filter == nil else { return }
        (check, checked) = (other, count)
    }

    /// Takes the next bytes.
    /// - Parameter isRest: whether the call has ended with them.
    /// - Returns: the frames that leave now, and whether Redis is to confirm each. With these frames a client in this
    ///   process would take its stream for complete.
    mutating func take(_ bytes: [UInt8], isRest: Bool) -> (frames: [ResponseFrame], isConfirmed: Bool) {
        let shown = filter?.pass(bytes) ?? bytes
        if shown.isEmpty { return ([], false) }
        let known = min(checked, shown.count)
        checked -= known
        if known < shown.count { check?.take(known == 0 ? shown : Array(shown[known...])) }
        let completes = isLocal && hasEveryChoice(within: .max)
        // The rest of an answer that is not a stream waits until the answer has ended well, and leaves with the end.
        return (framer.take(shown, isWhole: isRest && (bytes.count < minimum || completes)), completes)
    }

    /// Whether the client has all of a stream whose call ended early. The client left, the process stops, or the
    /// provider broke off behind the end.
    /// - Parameters:
    ///   - sent: bytes of the answer that have left for the client.
    ///   - handedOver: bytes that the client had when it left; nil if it has not left, or that is not known.
    func isWhole(sent: Int, handedOver: Int?) -> Bool {
        // Without the bytes of a client that left, only the end itself counts: more of the stream may be wanted.
        guard let handedOver else { return check?.isWhole(within: sent + framer.heldBytes, choices: .max) ?? false }
        return hasEveryChoice(within: handedOver)
    }

    /// Ends an answer that is whole.
    /// - Returns: the last frame, and why the completion counts as failed; nil if it does not.
    mutating func end() -> (frame: ResponseFrame, succeeded: Bool, failure: CompletionFailure?) {
        if let rest = filter?.end(), !rest.isEmpty {
            check?.take(rest)
            framer.hold(rest)
        }
        let failure = check?.end()
        return (framer.last(), succeeds && failure == nil, failure)
    }

    /// The frame that ends an answer in its middle.
    mutating func breakOff(_ error: GatewayError) -> ResponseFrame { framer.last(error) }

    /// Whether the first `count` bytes of a stream hold the end of each choice that was asked for.
    private func hasEveryChoice(within count: Int) -> Bool {
        check?.isWhole(within: count, choices: SpanRequest.choices(in: request)) ?? false
    }
}
