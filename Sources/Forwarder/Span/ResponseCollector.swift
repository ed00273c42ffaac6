internal import Common
internal import JSON
internal import Upstream

/// Keeps the parts of an answer that a span needs, while the answer's bytes pass by. Its first bytes, and not its
/// label, tell a stream from a body.
struct ResponseCollector: Sendable {
    private var form = ResponseForm()
    /// Nil for an answer that is not a stream.
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
                answer.add("The answer is not a stream of events, but its content type is \(labelShown).")
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
            // Some servers write `NaN` among the log probabilities, which stand before the usage.
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

    /// The answer of events that stand in a text that is neither JSON nor a stream: one JSON object per line, or a
    /// stream behind other text.
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

/// The parts of an answer that a span shows.
struct CollectedResponse: Sendable {
    /// The assistant's message, or an array of them if there are several choices: JSON, or a text if the answer is
    /// none.
    var output: [ByteSlice] = []
    var finishReasons: [String] = []
    var usage: TokenUsage?
    var model: String?
    var id: String?
    /// The fault that an answer with an error status states, with the provider's code if any. Keys are not yet taken
    /// out.
    var error: String?
    /// The members of the answer beside its choices.
    var others = ResponseMembers()
    var faults: ResponseFaults = []
    /// Whether the answer is a body that is not JSON.
    private(set) var isForeign = false
    /// A note of the parts that could not be read.
    var note: String?
}

extension CollectedResponse {
    /// Reads a whole body.
    /// - Parameters:
    ///   - bytes: as much of the body as was kept.
    ///   - count: bytes that the body had.
    init(body bytes: [UInt8], of count: Int) {
        guard bytes.count == count else {
            note =
                "The answer is larger than the gateway keeps of one (\(bytes.count) bytes): its end, and with it the usage, is not here."
            output = [
                ByteSlice(
                    ByteSlice(bytes).prefix(SpanLimits.foreign).text
                        + SpanLimits.mark(kept: SpanLimits.foreign, of: count))
            ]
            return
        }
        var bytes = bytes
        if !JSONWalker.isValue(bytes) {
            guard let repaired = JSONRepair.repair(bytes, 0..<bytes.count) else {
                setForeign(bytes)
                return
            }
            faults = repaired.faults
            bytes = repaired.bytes
        }
        guard bytes.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") else {
            setForeign(bytes)
            note = "The answer is not a JSON object."
            return
        }
        do throws(JSONScanError) { try read(bytes) } catch {
            setForeign(bytes)
            return
        }
        note = faults.union(others.faults).note
    }

    /// Shows an answer that is not JSON as it is.
    private mutating func setForeign(_ bytes: [UInt8]) {
        isForeign = true
        note = bytes.isEmpty ? "The answer is empty." : "The answer is not JSON."
        guard !bytes.isEmpty else { return }
        // A repair of text that is not UTF-8 makes it longer.
        let text = ByteSlice(ByteSlice(bytes).prefix(SpanLimits.foreign).text).prefix(SpanLimits.foreign).text
        output = [
            ByteSlice(
                text
                    + (bytes.count > SpanLimits.foreign
                        ? SpanLimits.mark(kept: SpanLimits.foreign, of: bytes.count) : ""))
        ]
    }

    private mutating func read(_ bytes: [UInt8]) throws(JSONScanError) {
        var messages: [[ByteSlice]] = []
        var walker = JSONWalker(bytes)
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "choices") {
                try walker.elements { (walker) throws(JSONScanError) in
                    guard messages.count < SpanLimits.pieces else { return faults.formUnion(.cut) }
                    if let message = try readChoice(&walker, bytes) { messages.append(message) }
                }
            } else if try !readTop(&walker, named: name, in: bytes) {
                try others.take(&walker, named: name, in: bytes)
            }
        }
        guard messages.count != 1 else {
            output = messages[0]
            return
        }
        output =
            messages.isEmpty ? [] : [ByteSlice("[")] + messages.joined(separator: [ByteSlice(",")]) + [ByteSlice("]")]
    }

    /// Reads a choice: its message, and behind the message's own members the other members of the choice.
    private mutating func readChoice(_ walker: inout JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) -> [ByteSlice]?
    {
        var message: Range<Int>?
        var beside: [(name: Range<Int>, value: Range<Int>)] = []
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "message") {
                message = try walker.skip()
            } else if walker.isName(name, "delta"), message == nil {
                // The body is a single event of a stream.
                message = try walker.skip()
            } else if walker.isName(name, "finish_reason"), try walker.kind() == .string {
                guard let reason = try walker.string() else { return }
                finishReasons.append(ByteSlice(bytes, reason).prefix(SpanLimits.value).text)
            } else if !walker.isName(name, "index"), try walker.kind() != .null {
                let value = try walker.skip()
                if beside.count < SpanLimits.members { beside.append((name, value)) } else { faults.insert(.cut) }
            }
        }
        guard let message, bytes[message.lowerBound] != UInt8(ascii: "n") || beside.isEmpty else {
            return beside.isEmpty ? nil : Self.object([], members: beside, in: bytes)
        }
        guard !beside.isEmpty, bytes[message.lowerBound] == UInt8(ascii: "{") else {
            return [ByteSlice(bytes, message)]
        }
        var names: [Range<Int>] = []
        var probe = JSONWalker(bytes, range: message)
        try probe.members { (_, name) throws(JSONScanError) in
            if names.count < SpanLimits.members { names.append(name) }
        }
        beside.removeAll { member in names.contains { bytes[$0] == bytes[member.name] } }
        guard !beside.isEmpty else { return [ByteSlice(bytes, message)] }
        return Self.object(names.isEmpty ? [] : [ByteSlice(bytes, message.dropLast())], members: beside, in: bytes)
    }

    /// An object of some members.
    /// - Parameter begun: its beginning, which lacks its closing brace.
    private static func object(
        _ begun: [ByteSlice], members: [(name: Range<Int>, value: Range<Int>)], in bytes: [UInt8]
    ) -> [ByteSlice] {
        var pieces = begun
        for member in members {
            pieces.append(ByteSlice(pieces.isEmpty ? "{\"" : ",\""))
            pieces += [ByteSlice(bytes, member.name), ByteSlice("\":"), ByteSlice(bytes, member.value)]
        }
        return pieces + [ByteSlice("}")]
    }

    /// The parts of a withheld answer that may be shown: its usage, model and id, and the finish reasons that are the
    /// API's own words.
    var withoutContent: CollectedResponse {
        var other = CollectedResponse()
        other.usage = usage
        (other.model, other.id) = (model, id)
        other.finishReasons = finishReasons.filter { Self.reasons.contains($0) }
        return other
    }

    private static let reasons: Set<UTF8Text> = [
        "stop", "length", "tool_calls", "function_call", "content_filter", "end_turn", "max_tokens", "stop_sequence",
        "tool_use", "refusal",
    ]

    /// Puts a sentence before the note.
    mutating func add(_ sentence: String) { note = note.map { "\(sentence) \($0)" } ?? sentence }

    /// Reads a member that answers and events of a stream have in common. Returns false if it is another.
    mutating func readTop(
        _ walker: inout JSONWalker, named name: Range<Int>, in bytes: [UInt8]
    ) throws(JSONScanError) -> Bool {
        if walker.isName(name, "id") {
            try Self.set(&id, from: &walker, in: bytes)
        } else if walker.isName(name, "model") {
            try Self.set(&model, from: &walker, in: bytes)
        } else if walker.isName(name, "usage") {
            if let usage = TokenUsage(ByteSlice(bytes, try walker.skip())) { self.usage = usage }
        } else if walker.isName(name, "error") {
            // `CompletionCheck` says whether the answer failed.
            try walker.skip()
        } else {
            return false
        }
        return true
    }

    /// Sets a text. The first one that is not empty stands; a stream repeats it in each event.
    private static func set(
        _ text: inout String?, from walker: inout JSONWalker, in bytes: [UInt8]
    ) throws(JSONScanError) {
        guard let range = try walker.string(), text == nil, !range.isEmpty else { return }
        text = JSONText.unescaped(bytes[range]).map { ByteSlice($0).prefix(SpanLimits.value).text }
    }
}
