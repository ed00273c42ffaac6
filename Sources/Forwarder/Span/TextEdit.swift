internal import Common

/// A place in a text, and the bytes that replace it.
struct TextEdit: Sendable, Equatable {
    /// The mark in the place of a secret.
    static let mark = Array("[redacted]".utf8)

    var range: Range<Int>
    var replacement = Self.mark

    /// Both lists as one; where two overlap the earlier one takes in the other.
    static func merge(_ first: [TextEdit], _ second: [TextEdit]) -> [TextEdit] {
        guard !first.isEmpty, !second.isEmpty else { return first + second }
        var result: [TextEdit] = []
        for edit in (first + second).sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = result.last, last.range.upperBound > edit.range.lowerBound {
                result[result.count - 1].range =
                    last.range.lowerBound..<max(last.range.upperBound, edit.range.upperBound)
            } else {
                result.append(edit)
            }
        }
        return result
    }

    /// The text with the edits, which are in their order and do not overlap.
    static func apply(_ edits: [TextEdit], to piece: ByteSlice) -> ByteSlice {
        guard !edits.isEmpty else { return piece }
        var out: [UInt8] = []
        out.reserveCapacity(piece.count + edits.count * mark.count)
        var place = piece.range.lowerBound
        for edit in edits {
            out += piece.bytes[place..<edit.range.lowerBound]
            out += edit.replacement
            place = edit.range.upperBound
        }
        out += piece.bytes[place..<piece.range.upperBound]
        return ByteSlice(out)
    }
}
