internal import CDecoders

/// Undoes brotli where the system has libbrotlidec.
final class BrotliDecoder: StreamDecoder {
    private static let library: cdecoders_brotli? = {
        var library = cdecoders_brotli()
        return cdecoders_find_brotli(&library) ? library : nil
    }()

    static var isAvailable: Bool { library != nil }

    private let stream: UnsafeMutableRawPointer
    private var library: cdecoders_brotli

    init?() {
        guard var library = Self.library, let stream = cdecoders_brotli_begin(&library) else { return nil }
        (self.library, self.stream) = (library, stream)
    }

    deinit { cdecoders_brotli_end(&library, stream) }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecodingFailure) -> DecodingStep {
        var from = cdecoders_input(bytes: input.baseAddress, size: input.count, position: 0)
        var to = cdecoders_output(bytes: output.baseAddress, size: output.count, position: 0)
        let result = cdecoders_brotli_decode(&library, stream, &to, &from)
        guard result >= 0 else { throw DecodingFailure(read: from.position) }
        return DecodingStep(read: from.position, written: to.position, isEnd: result == 1)
    }

    /// RFC 7932 has one stream.
    func beginNextFrame() -> Bool { false }
}
