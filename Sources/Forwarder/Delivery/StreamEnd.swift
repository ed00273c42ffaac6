/// Notices that a stream has said its last: OpenAI's streams end with the event `data: [DONE]`. A client that has it has the whole answer, and may leave before
/// the connection ends, as OpenAI's SDKs do.
struct StreamEnd: Sendable {
    private static let mark = Array("[DONE]".utf8)
    /// The mark with its field's name before it and the line ends behind it.
    private static let longest = 24

    private var tail: [UInt8] = []
    private(set) var hasCome = false

    /// Takes the next bytes of the stream.
    mutating func take(_ piece: [UInt8]) {
        tail = Array((tail + piece.suffix(Self.longest)).suffix(Self.longest))
        var text = tail[...]
        while let last = text.last, [UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " ")].contains(last) { text.removeLast() }
        // Whole once its line has ended.
        guard text.count < tail.count, text.suffix(Self.mark.count).elementsEqual(Self.mark) else {
            hasCome = false
            return
        }
        let before = text.dropLast(Self.mark.count)
        let name = before.last == UInt8(ascii: " ") ? before.dropLast() : before
        let isLine = name.suffix(5).elementsEqual("data:".utf8)
        let start = name.dropLast(5).last
        hasCome = isLine && (start == nil || start == UInt8(ascii: "\n") || start == UInt8(ascii: "\r"))
    }
}
