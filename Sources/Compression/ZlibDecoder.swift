internal import CZlib

/// Undoes gzip and deflate.
final class ZlibDecoder: StreamDecoder {
    /// In memory of its own: zlib remembers where it lies.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: as zlib's `inflateInit2` has them.
    init?(windowBits: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard czlib_begin_inflate(stream, windowBits) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodingFailure) -> DecodingStep {
        let count = min(input.count, Int(UInt32.max))
        // zlib only reads through this pointer, although its type allows writing.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: output.count)
        let status = inflate(stream, Z_NO_FLUSH)
        // A buffer error says that there was nothing to read, or no room.
        let read = count - Int(stream.pointee.avail_in)
        guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(status) else { throw DecodingFailure(read: read) }
        return DecodingStep(
            read: read, written: output.count - Int(stream.pointee.avail_out),
            isEnd: status == Z_STREAM_END)
    }

    func beginNextFrame() -> Bool { inflateReset(stream) == Z_OK }
}
