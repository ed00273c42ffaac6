internal import Compression

/// Undoes the content codings of an answer, as its bytes come.
///
/// A label may be wrong: some servers say `gzip` of what they send as it is, or say it twice. So the bytes themselves
/// say what they are, and what is in none of the forms passes as it came.
final class ContentDecoder {
    /// The reason why the bytes go no further.
    enum Failure: Error { case broken, endsEarly, tooLarge }

    typealias Sink = (UnsafeRawBufferPointer) throws(Failure) -> Void

    /// The most codings of one answer.
    static let mostCodings = 4

    /// In the order in which they are undone.
    private let layers: [CodingLayer]
    private let mayEndOpen: Bool

    /// - Parameters:
    ///   - codings: in the order in which they were applied.
    ///   - isText: whether the content is labelled JSON or text, which no compressed form can be taken for. It is then
    ///     also undone where it was compressed once more than its label says.
    ///   - mayEndOpen: whether the end of a coding may be missing, as some servers leave it out behind a stream whose
    ///     content says itself where it ends.
    init(_ codings: [ContentCoding], isText: Bool, mayEndOpen: Bool = false) {
        self.mayEndOpen = mayEndOpen
        var layers = codings.reversed().map { CodingLayer($0) }
        if isText { layers.append(CodingLayer(nil)) }
        self.layers = layers
    }

    /// Takes bytes as they came, and hands on what they become.
    func take(_ bytes: UnsafeRawBufferPointer, _ sink: Sink) throws(Failure) { try pass(bytes, to: 0, sink) }

    /// Notes that there are no more bytes, and hands on what was not yet known to be one or the other.
    /// - Throws: `endsEarly` for a body of which a part is missing.
    func end(_ sink: Sink) throws(Failure) {
        for (index, layer) in layers.enumerated() {
            try layer.end { (bytes) throws(Failure) in try pass(bytes, to: index + 1, sink) }
        }
        guard mayEndOpen || !layers.contains(where: \.isOpen) else { throw .endsEarly }
    }

    private func pass(_ bytes: UnsafeRawBufferPointer, to index: Int, _ sink: Sink) throws(Failure) {
        guard index < layers.count else { return try sink(bytes) }
        try layers[index].take(bytes) { (bytes) throws(Failure) in try pass(bytes, to: index + 1, sink) }
    }
}

/// One coding of an answer.
private final class CodingLayer {
    private enum State {
        /// The bytes so far do not say what they are.
        case unknown([UInt8])
        case plain
        /// - Parameter input: all that has come, as long as nothing was decoded and it may be something else; nil then.
        case decoding(CompressedForm, any StreamDecoder, input: [UInt8]?)
        /// A frame has ended. The bytes may begin another one.
        case between(CompressedForm, [UInt8])
        case over
    }

    /// Bytes that are kept of what may be something else.
    private static let mostInput = 64 << 10
    private static let pieceBytes = 64 << 10
    /// Each frame costs time of its own, though nothing may come out of it. A server that ends one with each piece of a
    /// stream sends far more than so many bytes in it.
    private static let (freeFrames, bytesPerFrame) = (1000, 64)

    /// The frames that have ended, and the bytes that have come out of them.
    private var (frames, written) = (0, 0)
    /// The label; nil: there is none.
    private let coding: ContentCoding?
    private var state = State.unknown([])

    init(_ coding: ContentCoding?) { self.coding = coding }

    /// Whether the end of a frame is missing.
    var isOpen: Bool {
        switch state {
        case .decoding(_, _, input: nil): true
        case .decoding, .unknown, .plain, .between, .over: false
        }
    }

    func take(_ bytes: UnsafeRawBufferPointer, _ sink: ContentDecoder.Sink) throws(ContentDecoder.Failure) {
        guard !bytes.isEmpty else { return }
        switch state {
        case .plain: try sink(bytes)
        case .over: return
        case .between(let form, let earlier):
            let all = earlier + bytes
            if all.starts(with: form.magic) { try begin(form, with: all, sink: sink) } else { wait(form, all) }
        case .decoding(let form, let decoder, let input):
            try decode(bytes, of: form, by: decoder, after: input, sink)
        case .unknown(let earlier):
            let all = earlier + bytes
            switch CompressedForm.sign(of: all, labelled: coding) {
            case .none: state = .unknown(all)
            case .plain: try pass(all, sink)
            case .form(let form): try begin(form, with: all, sink: sink)
            }
        }
    }

    func end(_ sink: ContentDecoder.Sink) throws(ContentDecoder.Failure) {
        switch state {
        case .unknown(let bytes):
            if let decoded = Self.decoded(bytes, coding) { return try pass(decoded, sink) }
            try pass(bytes, sink)
        // What looked like the beginning of a form without a sign of its own.
        case .decoding(_, _, let input?): try pass(input, sink)
        case .decoding, .plain, .between, .over: return
        }
    }

    private func begin(
        _ form: CompressedForm, with bytes: [UInt8], sink: ContentDecoder.Sink
    ) throws(ContentDecoder.Failure) {
        guard let decoder = form.decoder() else { throw .broken }
        try bytes.withUnsafeBufferPointer { (bytes) throws(ContentDecoder.Failure) in
            try decode(
                UnsafeRawBufferPointer(bytes), of: form, by: decoder, after: form.magic.isEmpty ? [] : nil, sink)
        }
    }

    private func pass(_ bytes: [UInt8], _ sink: ContentDecoder.Sink) throws(ContentDecoder.Failure) {
        state = .plain
        guard !bytes.isEmpty else { return }
        try bytes.withUnsafeBufferPointer { (bytes) throws(ContentDecoder.Failure) in
            try sink(UnsafeRawBufferPointer(bytes))
        }
    }

    /// - Parameter earlier: as the state has it.
    private func decode(
        _ bytes: UnsafeRawBufferPointer, of form: CompressedForm, by decoder: any StreamDecoder,
        after earlier: [UInt8]?, _ sink: ContentDecoder.Sink
    ) throws(ContentDecoder.Failure) {
        var (offset, earlier) = (0, earlier)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let step: DecodingStep
            do throws(DecodingFailure) {
                step = try decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[offset...]), into: piece)
            } catch {
                guard let earlier else {
                    state = .over
                    throw .broken
                }
                return try pass(earlier + bytes, sink)
            }
            offset += step.read
            written += step.written
            if step.written > 0 {
                earlier = nil
                try sink(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(piece)[..<step.written]))
            }
            if step.isEnd {
                frames += 1
                guard frames <= Self.freeFrames + written / Self.bytesPerFrame else {
                    state = .over
                    throw .broken
                }
                guard form.mayRepeat, bytes[offset...].starts(with: form.magic), decoder.beginNextFrame() else {
                    return wait(form, Array(bytes[offset...].prefix(form.magic.count)))
                }
            } else if step.written < piece.count, offset == bytes.count || step.read == 0 {
                let input = earlier.flatMap { $0.count + bytes.count > Self.mostInput ? nil : $0 + bytes }
                state = .decoding(form, decoder, input: input)
                return
            }
        }
    }

    /// Waits for a further frame. Bytes that are none are left out, as zlib's own readers do.
    private func wait(_ form: CompressedForm, _ bytes: [UInt8]) {
        state = form.mayRepeat && form.magic.starts(with: bytes) ? .between(form, bytes) : .over
    }

    /// A body of a few bytes, if it is whole in its coding.
    private static func decoded(_ bytes: [UInt8], _ coding: ContentCoding?) -> [UInt8]? {
        guard let coding, !bytes.isEmpty, coding.isAvailable else { return nil }
        return try? BodyDecoder([coding], limit: pieceBytes).decode(bytes)
    }
}

extension CompressedForm {
    /// The form of a body, as its first bytes tell it.
    fileprivate enum Sign {
        /// More bytes must be seen.
        case none
        case plain
        case form(CompressedForm)
    }

    /// Bytes of a text that tell it from a form without a sign of its own.
    private static let text = 16

    /// - Parameter coding: the label; nil: there is none.
    fileprivate static func sign(of bytes: [UInt8], labelled coding: ContentCoding?) -> Sign {
        for form in [CompressedForm.gzip, .zstd] where form != .zstd || ContentCoding.zstd.isAvailable {
            if bytes.starts(with: form.magic) { return .form(form) }
            if form.magic.starts(with: bytes) { return .none }
        }
        guard let coding else { return .plain }
        // `x`, zlib's usual first byte, is a text's too.
        if bytes.count == 1, bytes[0] & 0x0F == 8, bytes[0] < 0x80 { return .none }
        if isZlib(bytes), coding == .deflate || bytes[0] == 0x78 && bytes[1] != UInt8(ascii: "^") {
            return .form(.zlib)
        }
        guard coding == .deflate || coding == .brotli else { return .plain }
        if isText(bytes.prefix(4 * text)) { return bytes.count < text ? .none : .plain }
        return .form(coding == .deflate ? .rawDeflate : .brotli)
    }

    /// Whether bytes are the beginning of a text. Its last character may not be whole.
    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }) else { return false }
        return (0...3).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    }
}
