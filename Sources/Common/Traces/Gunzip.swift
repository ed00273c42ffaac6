internal import CZlib

/// Decompresses what a client sent, never to more than it may be.
package enum Gunzip {
    package enum Failure: Error, Equatable {
        /// The bytes are no gzip, or end within it, or something follows.
        case malformed
        /// They stand for more than the limit.
        case tooLarge
    }

    private static let piece = 64 << 10

    /// - Parameter limit: the most bytes that may come out.
    package static func decompress(_ compressed: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        guard compressed.count <= Int(UInt32.max) else { throw .tooLarge }
        var stream = z_stream()
        guard czlib_begin_gunzip(&stream) == Z_OK else { throw .malformed }
        defer { inflateEnd(&stream) }
        var out: [UInt8] = []
        var input = compressed
        var status = Z_OK
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            // One byte beyond the limit tells that there is more.
            while status == Z_OK, out.count <= limit {
                status = inflate(&stream, into: &out)
                // Without input and without output nothing more will come.
                if status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) { break }
            }
        }
        guard out.count <= limit else { throw .tooLarge }
        guard status == Z_STREAM_END, stream.avail_in == 0 else { throw .malformed }
        return out
    }

    private static func inflate(_ stream: inout z_stream, into out: inout [UInt8]) -> Int32 {
        var status = Z_OK
        let chunk = [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in
            stream.next_out = buffer.baseAddress
            stream.avail_out = UInt32(buffer.count)
            status = CZlib.inflate(&stream, Z_NO_FLUSH)
            count = buffer.count - Int(stream.avail_out)
        }
        out += chunk
        return status
    }
}
