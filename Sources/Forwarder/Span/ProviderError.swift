internal import Common
internal import JSON

/// Finds a provider's words about a failure.
enum ProviderError {
    /// The text of an error that is a string or an object; nil for null and the like.
    static func text(of piece: ByteSlice) -> String? {
        var message: String?
        var code: String?
        var walker = JSONWalker(piece.bytes, range: piece.range)
        do throws(JSONScanError) {
            switch try walker.kind() {
            case .string: return try string(&walker, piece.bytes)
            case .array:
                // `errors`: the first of them.
                var first: String?
                try walker.elements { (walker) throws(JSONScanError) in
                    let element = try walker.skip()
                    if first == nil { first = text(of: ByteSlice(piece.bytes, element)) }
                }
                return first
            case .object:
                try walker.members { (walker, name) throws(JSONScanError) in
                    if walker.isName(name, "message") || walker.isName(name, "detail") {
                        message = try string(&walker, piece.bytes) ?? message
                    } else if walker.isName(name, "code") || walker.isName(name, "type"), code == nil {
                        code = try string(&walker, piece.bytes)
                    }
                }
                return message.map { text in code.map { "\($0): \(text)" } ?? text } ?? code
                    ?? piece.prefix(SpanLimits.foreign).text
            default: return nil
            }
        } catch {
            return nil
        }
    }

    /// The text of a whole body that came with a failure status: OpenAI's `{"error":{…}}`, `{"message":…}`,
    /// `{"detail":…}`, or the body as it is.
    static func text(ofBody bytes: [UInt8]) -> String {
        var text: String?
        if JSONWalker.isValue(bytes) {
            var walker = JSONWalker(bytes)
            try? walker.members { (walker, name) throws(JSONScanError) in
                if walker.isName(name, "error") { text = Self.text(of: ByteSlice(bytes, try walker.skip())) }
            }
            text = text ?? Self.text(of: ByteSlice(bytes))
        }
        return text ?? ByteSlice(bytes).prefix(SpanLimits.foreign).text
    }

    private static func string(_ walker: inout JSONWalker, _ bytes: [UInt8]) throws(JSONScanError) -> String? {
        guard let range = try walker.string() else { return nil }
        return JSONText.unescaped(bytes[range])
    }
}
