internal import Common
internal import JSON
internal import NIOConcurrencyHelpers
internal import Policies

/// Takes secrets out of the texts of a span: out of JSON by the names of its members at any depth, and out of every
/// text by their form. All other bytes stay as they are.
struct SecretRedactor: Sendable {
    /// A key of the call that is shorter, or a word of letters up to twice as long, may stand in any text.
    private static let shortestKey = 8

    private let keys: [[UInt8]]
    /// Finds the texts that the operator's rules take out besides, and the work that it may cost yet.
    private var content: (redactor: ContentRedactor, work: NIOLockedValueBox<Int>)?

    /// Whether the search was given up, since it would take too long. The texts that were searched must not be shown.
    var isExhausted: Bool { content?.work.withLockedValue { $0 < 0 } ?? false }

    /// The same redactor for the texts between client and provider.
    /// - Parameter content: finds the texts that the operator's rules take out.
    func of(_ content: SpanContent) -> SecretRedactor {
        var other = self
        if case .redacted(let redactor) = content {
            other.content = (redactor, NIOLockedValueBox(ContentRedactor.workLimit))
        }
        return other
    }

    /// - Parameter keys: the keys of the call.
    init(_ keys: [SecretString] = []) {
        self.keys = keys.map { Array($0.reveal().utf8) }.filter { key in
            let isWord = key.allSatisfy { ($0 | 0x20) &- 0x61 < 26 }
            // A header holds neither a quote nor, in any key, a backslash: half of an escape must not match.
            let isPrintable = key.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"")
            }
            return isPrintable && key.count >= (isWord ? 2 * Self.shortestKey : Self.shortestKey)
        }
    }

    /// A value of JSON without secrets.
    /// - Parameters:
    ///   - piece: the value; it has been scanned.
    ///   - name: the kind of the name under which it stands.
    func clean(json piece: ByteSlice, under name: SecretName = .plain) -> ByteSlice {
        let edits: [TextEdit] = piece.bytes.withUnsafeBufferPointer { bytes in
            var walk = SecretWalk(bytes, keys: keys, level: 0)
            walk.walk(piece.range, under: name)
            return walk.edits
        }
        let clean = TextEdit.apply(edits, to: piece)
        return content.map { ContentWalk.clean(json: clean, $0.redactor, $0.work) } ?? clean
    }

    /// A text without what the operator's rules take out. Secrets stay.
    func redacted(_ text: String) -> String {
        content.map { ContentWalk.clean(text: ByteSlice(text), $0.redactor, $0.work).text } ?? text
    }

    /// A text, JSON or not, without secrets.
    func clean(text piece: ByteSlice) -> ByteSlice {
        let clean = TextEdit.apply(Self.edits(of: piece, keys: keys, level: 0), to: piece)
        return content.map { ContentWalk.clean(text: clean, $0.redactor, $0.work) } ?? clean
    }

    func clean(_ text: String) -> String {
        let piece = ByteSlice(text)
        let edits = Self.edits(of: piece, keys: keys, level: 0)
        guard content != nil || !edits.isEmpty else { return text }
        return clean(text: piece).text
    }

    /// The secrets in a text. JSON is read as such; a text that only begins so, as cut-off arguments, is read as both.
    static func edits(of piece: ByteSlice, keys: [[UInt8]], level: Int) -> [TextEdit] {
        let first = piece.bytes[piece.range].first { $0 > 0x20 }
        let opens = level <= SecretWalk.deepestLevel && (first == UInt8(ascii: "{") || first == UInt8(ascii: "["))
        let isJSON = opens && JSONWalker.isValue(piece.bytes, range: piece.range)
        return piece.bytes.withUnsafeBufferPointer { bytes in
            var walk = SecretWalk(bytes, keys: keys, level: level)
            if opens { walk.walk(piece.range, under: .plain) }
            guard !isJSON else { return walk.edits }
            var finder = SecretFinder(bytes, keys: keys, isEscaped: false)
            _ = finder.search(piece.range)
            return TextEdit.merge(walk.edits, finder.found.map { TextEdit(range: $0) })
        }
    }
}
