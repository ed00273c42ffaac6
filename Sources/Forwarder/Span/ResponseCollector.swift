internal import Common
internal import JSON
internal import Upstream

/// Keeps what a span needs of an answer while its bytes pass by. What it is, a stream or a body, its first bytes say
/// and not its label.
struct ResponseCollector: Sendable {
    private var form = ResponseForm()
    /// Nil for an answer that is no stream.
    private var stream: StreamCollector?
    /// The pieces of a body are kept as they came, so that a short one is not copied.
    private var pieces: [[UInt8]] = []
    private var kept = 0
    private var count = 0
    let status: Int
    private let label: String?
    private let isLabelledStream: Bool
    /// The time at which the first part of a streamed message came.
    private(set) var firstToken: Timestamp?

    private let textBytes: Int
    /// Bytes of a body that are kept to be read when it ends.
    private var bodyBytes: Int { max(SpanLimits.body, 2 * textBytes) }

    /// - Parameters:
    ///   - head: the provider's, before any of its headers are left out.
    ///   - textBytes: the most bytes of the output (`SPAN_TEXT_BYTES`).
    init(head: UpstreamHead, textBytes: Int = SpanLimits.spanText) {
        self.textBytes = textBytes
        status = head.status
        label = head.headers.first(named: "content-type")
        isLabelledStream = head.isEventStream
    }

    private var isSuccess: Bool { (200..<300).contains(status) }

    /// - Parameter time: now; asked for at most once.
    mutating func take(_ piece: [UInt8], at time: @autoclosure () -> Timestamp) {
        guard let piece = form.take(piece) else { return }
        if stream == nil, form.isEventStream == true, isSuccess { stream = StreamCollector(textBytes: textBytes) }
        guard stream == nil else {
            stream?.take(piece)
            if firstToken == nil, stream?.hasToken == true { firstToken = time() }
            return
        }
        count += piece.count
        let room = bodyBytes - kept
        guard room > 0 else { return }
        pieces.append(piece.count <= room ? piece : Array(piece.prefix(room)))
        kept += min(piece.count, room)
    }

    /// The answer as far as it has come.
    func collected() -> CollectedResponse {
        if let stream {
            var answer = stream.collected()
            if !isLabelledStream {
                answer.add("The answer is a stream of events, but its content type is \(labelShown).")
            }
            return answer
        }
        let all = form.isEventStream == nil ? [form.begun] : pieces
        let bytes = all.count == 1 ? all[0] : Array(all.joined())
        guard !isSuccess else {
            var answer = CollectedResponse(body: bytes, of: form.isEventStream == nil ? bytes.count : count)
            if answer.isForeign, let found = Self.events(in: bytes) { answer = found }
            if isLabelledStream, !bytes.isEmpty {
                answer.add("The answer is no stream of events, but its content type is \(labelShown).")
            }
            return answer
        }
        var answer = CollectedResponse()
        answer.error = ProviderError.text(ofBody: bytes)
        return answer
    }

    /// The usage that the provider states, and nothing else of the answer.
    var usage: TokenUsage? {
        if let stream { return stream.usage }
        guard isSuccess, count == kept else { return nil }
        let bytes = pieces.count == 1 ? pieces[0] : Array(pieces.joined())
        do throws(JSONScanError) { return try Self.usage(in: bytes) } catch {
            // `NaN` among the log probabilities, as some servers write it, stands before the usage.
            return JSONRepair.repair(bytes, 0..<bytes.count).flatMap { try? Self.usage(in: $0.bytes) }
        }
    }

    private static func usage(in bytes: [UInt8]) throws(JSONScanError) -> TokenUsage? {
        var usage: TokenUsage?
        var walker = JSONWalker(bytes)
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "usage") { usage = TokenUsage(ByteSlice(bytes, try walker.skip())) }
        }
        return usage
    }

    /// The answer of events that stand in what is neither JSON nor a stream: one JSON object a line, or a stream behind
    /// other text.
    private static func events(in bytes: [UInt8]) -> CollectedResponse? {
        var stream = StreamCollector(takesBareLines: true)
        stream.take(bytes + Array("\n\n".utf8))
        var answer = stream.collected()
        guard !answer.output.isEmpty else { return nil }
        answer.add(
            "The answer is not JSON and does not begin as a stream of events; the events that stand in it are shown.")
        return answer
    }

    private var labelShown: String { label.flatMap { $0.isEmpty ? nil : ByteSlice($0).prefix(100).text } ?? "missing" }
}
