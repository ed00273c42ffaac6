internal import CDecoders

/// Undoes zstd where the system has libzstd.
final class ZstdDecoder: StreamDecoder {
    /// RFC 9659 §3: nothing with a window beyond 8 MiB is sent under the coding `zstd`.
    private static let windowLog: Int32 = 23

    private static let library: cdecoders_zstd? = {
        var library = cdecoders_zstd()
        return cdecoders_find_zstd(&library) ? library : nil
    }()

    static var isAvailable: Bool { library != nil }

    private let stream: UnsafeMutableRawPointer
    private var library: cdecoders_zstd

    init?() {
        guard var library = Self.library, let stream = cdecoders_zstd_begin(&library, Self.windowLog) else {
            return nil
        }
        (self.library, self.stream) = (library, stream)
    }

    deinit { cdecoders_zstd_end(&library, stream) }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodingFailure) -> DecodingStep {
        var from = cdecoders_input(bytes: input.baseAddress, size: input.count, position: 0)
        var to = cdecoders_output(bytes: output.baseAddress, size: output.count, position: 0)
        let result = cdecoders_zstd_decode(&library, stream, &to, &from)
        guard result >= 0 else { throw DecodingFailure(read: from.position) }
        // Where nothing moved the library speaks of the frame that comes next.
        let hasMoved = from.position + to.position > 0
        return DecodingStep(read: from.position, written: to.position, isEnd: result == 1 && hasMoved)
    }

    /// The library goes on with the next frame by itself.
    func beginNextFrame() -> Bool { true }
}
