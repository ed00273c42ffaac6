internal import Common

/// Takes keys out of a text that a provider wrote: an error may quote the key that was wrong, whole, in part or masked.
struct Redaction: Sendable {
    /// The beginnings of the keys of providers and of Langfuse.
    private static let prefixes = [
        "sk-", "pk-", "sk_", "pk_", "rk_", "gsk_", "fw_", "xai-", "hf_", "nvapi-", "aiza", "tgp_", "r8_", "pplx-",
        "csk-", "eyj", "ya29.",
    ]
    /// A word of this many bytes with a key's beginning is a key; a shorter one may be `sk-` in a sentence about keys.
    private static let shortest = 8
    /// Bytes of a text that are looked at for one byte that is kept.
    private static let excess = 8

    private let keys: [String]

    /// - Parameter keys: the keys that must not be seen.
    init(_ keys: [SecretString]) { self.keys = keys.map { $0.reveal() }.filter { $0.utf8.count >= 4 } }

    /// The text without keys, at most `limit` bytes and a mark.
    func clean(_ text: String, limit: Int = SpanLimits.message) -> String {
        var text = text
        let isLong = text.utf8.count > limit * Self.excess
        if isLong {
            // A word that the cut goes through may be half of a key.
            text = ByteSlice(text).prefix(limit * Self.excess).text
            while let last = text.unicodeScalars.last, Self.isKeyCharacter(last) { text.unicodeScalars.removeLast() }
        }
        for key in keys { text.replace(key, with: "[key]") }
        text = words(of: text)
        guard isLong || text.utf8.count > limit else { return text }
        return ByteSlice(text).prefix(limit).text + SpanLimits.mark(kept: limit)
    }

    private func words(of text: String) -> String {
        var result = ""
        var word = ""
        for character in text.unicodeScalars {
            if Self.isKeyCharacter(character) {
                word.unicodeScalars.append(character)
                continue
            }
            result += isKey(word) ? "[key]" : word
            word = ""
            result.unicodeScalars.append(character)
        }
        return result + (isKey(word) ? "[key]" : word)
    }

    private func isKey(_ word: String) -> Bool {
        guard word.utf8.count >= Self.shortest else { return false }
        if word.contains("**") { return true }
        let lower = word.lowercased()
        if Self.prefixes.contains(where: { lower.hasPrefix($0) }) { return true }
        let start = word.prefix(Self.shortest)
        return keys.contains { $0.hasPrefix(start) }
    }

    private static func isKeyCharacter(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "*": true
        default: false
        }
    }
}
