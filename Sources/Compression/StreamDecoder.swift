/// Undoes one coding, piece by piece, one frame after the other.
package protocol StreamDecoder: AnyObject {
    /// Decodes as much of the input as there is room for.
    /// - Throws: if the input is broken. Output that was written by then does not count.
    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodingFailure) -> DecodingStep

    /// Makes the decoder ready for the frame behind one that has ended, which costs far less than another decoder.
    /// - Returns: false if it cannot be, or if its form has no frames in a row.
    func beginNextFrame() -> Bool
}

/// The progress of one step of a decoder.
package struct DecodingStep: Equatable {
    package var read: Int
    package var written: Int
    /// Whether the frame has ended. The decoder takes nothing more before it is told to.
    package var isEnd: Bool
}

/// The input is not in its coding, or the system has no memory to undo it.
package struct DecodingFailure: Error, Equatable {
    /// Bytes of the step's input before the place at which that was found.
    package var read: Int
}

/// The forms in which bytes may be compressed.
package enum CompressedForm: Sendable, Equatable {
    case gzip
    /// The form that HTTP calls `deflate` (RFC 1950).
    case zlib
    /// The form that some clients and servers take for `deflate` (RFC 1951).
    case rawDeflate
    case brotli
    case zstd

    /// The first bytes of each frame; empty where it has none of its own.
    package var magic: [UInt8] {
        switch self {
        case .gzip: [0x1F, 0x8B]
        case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
        case .zlib, .rawDeflate, .brotli: []
        }
    }

    /// Whether bytes may be the beginning of a frame.
    package func mayBegin(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard self == .zstd, let first = bytes.first, first & 0xF0 == 0x50 else { return bytes.starts(with: magic) }
        // RFC 8878 §3.1.2: a frame that is to be passed over.
        return bytes.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
    }

    /// Whether another frame may follow one that has ended (RFC 1952 §2.2, RFC 8878 §3.1).
    package var mayRepeat: Bool { self == .gzip || self == .zstd }

    /// - Returns: nil if the system has no decoder for it, or no memory.
    package func decoder() -> (any StreamDecoder)? {
        switch self {
        // zlib.h: 16 beyond the window's 15 bits mean gzip's frame, a negative number means none.
        case .gzip: ZlibDecoder(windowBits: 15 + 16)
        case .zlib: ZlibDecoder(windowBits: 15)
        case .rawDeflate: ZlibDecoder(windowBits: -15)
        case .brotli: BrotliDecoder()
        case .zstd: ZstdDecoder()
        }
    }

    /// Whether bytes begin with zlib's header (RFC 1950 §2.2). A raw stream that an encoder wrote never does.
    package static func isZlib(_ bytes: some Collection<UInt8>) -> Bool {
        let head = Array(bytes.prefix(2))
        guard head.count == 2 else { return false }
        return head[0] & 0x0F == 8 && head[0] >> 4 <= 7 && (Int(head[0]) << 8 | Int(head[1])) % 31 == 0
    }
}
