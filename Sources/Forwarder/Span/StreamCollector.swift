internal import Common
internal import JSON

/// Joins a streamed answer from the bytes of its events, which may be cut anywhere. Each byte is looked at a fixed
/// number of times. An answer that is longer than an output may be is kept up to that bound, and is marked as cut.
struct StreamCollector: Sendable {
    private var lines = EventLines()
    /// The data of an event whose JSON goes over several lines.
    private var data: [UInt8] = []
    private var answer = CollectedResponse()
    var messages: [StreamedMessage] = []
    /// The messages and the members beside them, without the messages' texts. It counts the room for those too.
    var tree: DeltaTree
    private let textBytes: Int
    private var isFirstLine = true
    /// Whether a line that is a JSON object counts as an event without `data:` too.
    private let takesBareLines: Bool
    /// Whether a part of the message has come: text, reasoning or a tool call. A role alone is none.
    private(set) var hasToken = false

    /// - Parameter textBytes: the most bytes of the output.
    init(takesBareLines: Bool = false, textBytes: Int = SpanLimits.spanText) {
        self.takesBareLines = takesBareLines
        self.textBytes = textBytes
        tree = DeltaTree(room: textBytes - SpanLimits.structure)
    }

    mutating func take(_ piece: [UInt8]) {
        var lines = self.lines
        self.lines = EventLines()
        if !lines.take(piece, { bytes, line in take(line: line, of: bytes) }) { tree.markCut() }
        self.lines = lines
    }

    /// The usage that the stream has stated so far. An event without its empty line is none, as every reader of such
    /// streams has it.
    var usage: TokenUsage? { answer.usage }

    func collected() -> CollectedResponse {
        var result = answer
        let messages = self.messages.sorted { $0.index < $1.index }
        let isCut = tree.faults.contains(.cut)
        result.finishReasons = messages.compactMap {
            $0.finishReason.isEmpty ? nil : JSONText.unescaped($0.finishReason[...])
        }
        result.output = messages.enumerated().flatMap { place, message in
            (place == 0 ? [] : [ByteSlice(",")]) + [
                ByteSlice(message.json(tree, cutAfter: isCut && place == messages.count - 1 ? textBytes : nil))
            ]
        }
        if messages.count > 1 { result.output = [ByteSlice("[")] + result.output + [ByteSlice("]")] }
        result.faults.formUnion(tree.faults)
        result.note = result.faults.union(result.others.faults).note
        return result
    }

    private mutating func take(line: Range<Int>, of bytes: [UInt8]) {
        var line = line
        if isFirstLine {
            isFirstLine = false
            // HTML standard §9.2.5: a byte order mark may stand before the first line.
            if bytes[line].starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        if line.isEmpty {
            if !data.isEmpty {
                let event = data
                data = []
                if !take(event: event, 0..<event.count) { answer.faults.insert(.unreadEvents) }
            }
            return
        }
        if takesBareLines, bytes[line.lowerBound] == UInt8(ascii: "{") {
            _ = take(event: bytes, line)
            return
        }
        guard line.count > 5, bytes[line.lowerBound] == UInt8(ascii: "d"), bytes[line].starts(with: "data:".utf8) else {
            return
        }
        line = line.dropFirst(bytes[line.lowerBound + 5] == UInt8(ascii: " ") ? 6 : 5)
        guard data.isEmpty else { return append(data: bytes[line]) }
        guard !line.isEmpty, bytes[line.lowerBound] == UInt8(ascii: "{") else {
            if !Self.isSilent(bytes[line]) { answer.faults.insert(.unreadEvents) }
            return
        }
        // Nearly every event is one line. Nothing is taken from a part of one, so a line that is not JSON by itself
        // waits for the next line.
        if !take(event: bytes, line) { append(data: bytes[line]) }
    }

    private mutating func append(data part: ArraySlice<UInt8>) {
        guard data.count + part.count < SpanLimits.line else {
            return tree.markCut()
        }
        if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
        data += part
    }

    /// Whether data says nothing by itself: the end of a stream, or no data at all.
    private static func isSilent(_ data: ArraySlice<UInt8>) -> Bool {
        let data = data.drop { $0 == UInt8(ascii: " ") }
        return data.isEmpty || data.starts(with: "[DONE]".utf8)
    }

    /// - Returns: false if it is not a JSON object, or not all of it.
    private mutating func take(event bytes: [UInt8], _ range: Range<Int>) -> Bool {
        if JSONWalker.isValue(bytes, range: range) { return read(event: bytes, range) }
        guard let repaired = JSONRepair.repair(bytes, range) else { return false }
        answer.faults.formUnion(repaired.faults)
        return read(event: repaired.bytes, 0..<repaired.bytes.count)
    }

    private mutating func read(event bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var walker = JSONWalker(bytes, range: range)
        do throws(JSONScanError) {
            try walker.members { (walker, name) throws(JSONScanError) in
                if walker.isName(name, "choices") {
                    try walker.elements { (walker) throws(JSONScanError) in try takeChoice(&walker, bytes) }
                } else if try !answer.readTop(&walker, named: name, in: bytes) {
                    try answer.others.take(&walker, named: name, in: bytes)
                }
            }
        } catch {
            return false
        }
        return true
    }

    private mutating func takeChoice(_ walker: inout JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) {
        // The index may stand behind the delta, and seldom is another than 0.
        var index = 0
        var probe = walker
        try probe.members { (probe, name) throws(JSONScanError) in
            if probe.isName(name, "index") { index = Self.number(ByteSlice(bytes, try probe.skip())) ?? 0 }
        }
        guard try walker.kind() == .object, let place = place(of: index) else {
            try walker.skip()
            return
        }
        var whole: Range<Int>?
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "delta") {
                guard try walker.kind() == .object else {
                    if try walker.kind() != .null { tree.markMixed() }
                    return
                }
                messages[place].hasDelta = true
                messages[place].whole = []
                try walker.members { (walker, name) throws(JSONScanError) in
                    try takeDelta(&walker, named: name, in: bytes, at: place)
                }
            } else if walker.isName(name, "finish_reason"), try walker.kind() == .string {
                guard let reason = try walker.string() else { return }
                messages[place].finishReason = Array(
                    bytes[JSONText.wholePrefix(of: bytes, reason, atMost: SpanLimits.value)])
            } else if walker.isName(name, "message"), try walker.kind() == .object {
                whole = try walker.skip()
            } else if !walker.isName(name, "index"), try walker.kind() != .null {
                try tree.takeMember(&walker, named: name, in: bytes, of: messages[place].beside, isStatement: true)
            }
        }
        if let whole { take(message: bytes, whole, at: place) }
    }

    /// Takes a whole message, which counts where no delta comes. Some providers repeat the message so far in each event
    /// beside the delta.
    private mutating func take(message bytes: [UInt8], _ range: Range<Int>, at place: Int) {
        guard !messages[place].hasDelta else { return }
        tree.room += messages[place].whole.count
        messages[place].whole = []
        guard tree.charge(range.count) else { return }
        messages[place].whole = Array(bytes[range])
        noteToken()
    }

    private mutating func place(of index: Int) -> Int? {
        if let place = messages.firstIndex(where: { $0.index == index }) { return place }
        guard messages.count < SpanLimits.pieces, tree.charge(Self.frame), let root = tree.addNode(.object),
            let beside = tree.addNode(.object)
        else {
            tree.markCut()
            return nil
        }
        messages.append(StreamedMessage(index: index, root: root, beside: beside))
        return messages.count - 1
    }

    /// Bytes of a message that says nothing.
    private static let frame = 40

    mutating func noteToken() { hasToken = true }

    static func number(_ piece: ByteSlice) -> Int? { Int(piece.text) }
}

extension StreamCollector {
    /// Takes one member of a delta.
    mutating func takeDelta(
        _ walker: inout JSONWalker, named name: Range<Int>, in bytes: [UInt8], at place: Int
    ) throws(JSONScanError) {
        let kind = try walker.kind()
        for part in StreamedMessage.Part.allCases where walker.isName(name, part.name) {
            if kind == .string {
                guard isTextPlace(part, at: place) else { return tree.markMixed() }
                guard let text = try walker.string() else { return }
                let kept = tree.kept(of: bytes, text)
                if messages[place].texts[part.rawValue] == nil { messages[place].texts[part.rawValue] = [] }
                messages[place].texts[part.rawValue]?.append(contentsOf: bytes[kept])
                if !text.isEmpty { noteToken() }
                return
            }
            if part == .content, kind == .array { return try takeParts(&walker, bytes, at: place) }
            // What is a text keeps being one.
            if messages[place].texts[part.rawValue] != nil, kind != .null { return tree.markMixed() }
        }
        if kind == .string, walker.isName(name, "role") {
            guard let role = try walker.string(), messages[place].role.isEmpty else { return }
            let kept = tree.kept(of: bytes, role)
            messages[place].role = Array(bytes[kept])
            return
        }
        let room = tree.room
        try tree.takeMember(&walker, named: name, in: bytes, of: messages[place].root)
        // More than a name and a pair of brackets.
        if kind == .string || kind == .object || kind == .array, room - tree.room > name.count + 6 { noteToken() }
    }

    /// Whether a member that comes as a text has not been something else before.
    private func isTextPlace(_ part: StreamedMessage.Part, at place: Int) -> Bool {
        guard messages[place].texts[part.rawValue] == nil, let other = tree.child(part.name, of: messages[place].root)
        else { return true }
        return tree.nodes[other].kind == .null || tree.nodes[other].kind == .scalar
    }

    /// A content of parts, such as Mistral's of thinking and text.
    private mutating func takeParts(_ walker: inout JSONWalker, _ bytes: [UInt8], at place: Int) throws(JSONScanError) {
        noteToken()
        if messages[place].contentParts == nil {
            messages[place].contentParts = tree.addNode(.array)
            if messages[place].contentParts != nil { _ = tree.charge(2) }
        }
        guard let parts = messages[place].contentParts else { return }
        if let text = messages[place].texts[StreamedMessage.Part.content.rawValue].take(), !text.isEmpty {
            tree.appendElement(StreamedMessage.textPart(text), charged: text.count, to: parts)
        }
        try tree.takeElements(
            &walker, in: bytes, into: parts, elements: DeltaTree.Elements(of: Array("content".utf8)[...]), depth: 0)
    }
}
