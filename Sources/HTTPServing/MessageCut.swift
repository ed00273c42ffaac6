internal import NIOCore
internal import NIOHTTP1

/// Says how many bytes a decoder may be given at once, so that it never has bytes beyond the end of a message: each
/// message ends with an empty line, or with the last byte of a body of known length. It says so of the bytes alone.
/// More cuts than there are ends, as at an empty line inside a body, do no harm.
struct MessageCut {
    private enum Line { case start, afterReturn, inside }

    /// The rest of a body of known length, in bytes; 0: lines are read.
    private var counted = 0
    private var line = Line.start

    /// Says how many of `bytes`, which come next, may be given; all or fewer, and at least one.
    mutating func next(_ bytes: ByteBufferView) -> Int {
        guard counted == 0 else {
            let count = min(counted, bytes.count)
            counted -= count
            return count
        }
        for (index, byte) in bytes.enumerated() where ends(with: byte) { return index + 1 }
        return bytes.count
    }

    /// Is told of each head, when all of it was given and nothing else.
    mutating func begin(_ head: HTTPRequestHead) {
        // With both, or with two lengths, it is refused.
        guard head.method != .CONNECT, !head.headers.contains(name: "transfer-encoding") else { return }
        counted = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    }

    /// Whether an empty line ends with `byte`.
    private mutating func ends(with byte: UInt8) -> Bool {
        switch (byte, line) {
        case (UInt8(ascii: "\n"), .start), (UInt8(ascii: "\n"), .afterReturn):
            line = .start
            return true
        case (UInt8(ascii: "\n"), .inside): line = .start
        case (UInt8(ascii: "\r"), .start): line = .afterReturn
        default: line = .inside
        }
        return false
    }
}
