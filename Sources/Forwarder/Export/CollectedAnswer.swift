internal import Common

/// What a span says of an answer.
struct CollectedAnswer: Sendable {
    /// The assistant's message, or an array of them if there are several choices: JSON, or a text if the answer is none.
    var output: [TextPiece] = []
    var finishReasons: [String] = []
    var usage: TokenUsage?
    var model: String?
    var id: String?
    /// What the provider says went wrong, with its code if it gives one. Not yet free of keys.
    var error: String?
    /// What of the answer could not be read.
    var note: String?
}

extension CollectedAnswer {
    /// Reads a whole body.
    /// - Parameters:
    ///   - bytes: as much of the body as was kept.
    ///   - count: bytes that the body had.
    init(body bytes: [UInt8], of count: Int) {
        guard bytes.count == count else {
            note = "The answer is larger than the gateway keeps of one (\(SpanLimits.body) bytes): its end, and with it the usage, is not here."
            output = [TextPiece(TextPiece(bytes).prefix(SpanLimits.foreign).text + SpanLimits.mark(kept: SpanLimits.foreign, of: count))]
            return
        }
        guard JSONWalker.isValue(bytes) else {
            note = count == 0 ? "The answer is empty." : "The answer is not JSON."
            if count > 0 {
                // Repairing what is no UTF-8 makes it longer.
                let text = TextPiece(TextPiece(bytes).prefix(SpanLimits.foreign).text).prefix(SpanLimits.foreign).text
                output = [TextPiece(text + (count > SpanLimits.foreign ? SpanLimits.mark(kept: SpanLimits.foreign, of: count) : ""))]
            }
            return
        }
        do throws(JSONScanError) { try read(bytes) } catch { note = "The answer is not JSON." }
    }

    private mutating func read(_ bytes: [UInt8]) throws(JSONScanError) {
        var messages: [TextPiece] = []
        var walker = JSONWalker(bytes)
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "choices") {
                try walker.elements { (walker) throws(JSONScanError) in try readChoice(&walker, bytes, &messages) }
            } else if try !readTop(&walker, name, bytes) {
                try walker.skip()
            }
        }
        guard let first = messages.first else { return }
        output = messages.count == 1 ? [first] : [TextPiece("[")] + messages.flatMap { [$0, TextPiece(",")] }.dropLast() + [TextPiece("]")]
    }

    private mutating func readChoice(_ walker: inout JSONWalker, _ bytes: [UInt8], _ messages: inout [TextPiece]) throws(JSONScanError) {
        try walker.members { (walker, name) throws(JSONScanError) in
            if walker.isName(name, "message"), messages.count < SpanLimits.pieces {
                messages.append(TextPiece(bytes, try walker.skip()))
            } else if walker.isName(name, "finish_reason"), finishReasons.count < SpanLimits.pieces, let reason = try walker.string() {
                finishReasons.append(TextPiece(bytes, reason).prefix(SpanLimits.value).text)
            }
        }
    }

    /// Reads a member that answers and events of a stream have in common. Returns false if it is another.
    mutating func readTop(_ walker: inout JSONWalker, _ name: Range<Int>, _ bytes: [UInt8]) throws(JSONScanError) -> Bool {
        if walker.isName(name, "id") {
            try Self.set(&id, &walker, bytes)
        } else if walker.isName(name, "model") {
            try Self.set(&model, &walker, bytes)
        } else if walker.isName(name, "usage") {
            if let usage = TokenUsage(TextPiece(bytes, try walker.skip())) { self.usage = usage }
        } else if walker.isName(name, "error") {
            let value = try walker.skip()
            if let text = ProviderError.text(of: TextPiece(bytes, value)) { error = text }
        } else {
            return false
        }
        return true
    }

    /// The first text that is not empty stands; a stream repeats it in each event.
    private static func set(_ text: inout String?, _ walker: inout JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) {
        guard let range = try walker.string(), text == nil, !range.isEmpty else { return }
        text = JSONText.unescaped(bytes[range]).map { TextPiece($0).prefix(SpanLimits.value).text }
    }
}
