/// Tells from the first bytes of an answer whether it is a stream of server-sent events: labels of both kinds are wrong
/// at times.
struct ResponseForm: Sendable {
    /// The first bytes behind whitespace, while they may be either.
    private(set) var begun: [UInt8] = []
    /// Nil while it cannot be known.
    private(set) var isEventStream: Bool?

    private static let fields = ["data", "event", "id", "retry"].map { Array($0.utf8) }

    /// - Returns: the bytes to read now; nil while the form cannot be known.
    mutating func take(_ piece: [UInt8]) -> [UInt8]? {
        guard isEventStream == nil else { return piece }
        var place = 0
        while place < piece.count {
            let byte = piece[place]
            place += 1
            if begun.isEmpty, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { continue }
            begun.append(byte)
            guard let answer = decide() else { continue }
            isEventStream = answer
            defer { begun = [] }
            // Nearly always all of it is in the first piece, which is then not copied.
            return place >= begun.count ? piece : begun + piece[place...]
        }
        return nil
    }

    private func decide() -> Bool? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if begun.count < mark.count, mark.starts(with: begun) { return nil }
        let text = begun.starts(with: mark) ? begun.dropFirst(mark.count) : begun[...]
        guard let last = text.last else { return nil }
        if text.count == 1, last == UInt8(ascii: ":") { return true }
        if Self.fields.contains(where: { $0.starts(with: text) }) { return nil }
        // A field's name alone on its line is a field too.
        return [UInt8(ascii: ":"), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(last)
            && Self.fields.contains { $0.elementsEqual(text.dropLast()) }
    }
}
