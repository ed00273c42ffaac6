/// Undoes the codings of a whole body, never to more than it may be.
package struct BodyDecoder: Sendable {
    package enum Failure: Error, Equatable {
        /// The body, or what one of its codings leaves of it, is larger than the limit.
        case tooLarge
        /// There is no memory for it.
        case noRoom
        case unreadable(Flaw)
    }

    /// The place at which a body cannot be read.
    package struct Flaw: Sendable, Equatable, CustomStringConvertible {
        package enum Kind: Sendable, Equatable {
            /// It does not begin in its coding.
            case foreign
            case broken
            case endsEarly
            /// Something stands behind its end.
            case trailing
            /// It has more parts than it may have.
            case parts
        }

        package var kind: Kind
        package var coding: ContentCoding
        /// The coding's number among those of the body, in the order in which they were applied.
        package var number: Int
        package var of: Int
        /// The offset in what the coding is to be undone of.
        package var offset: Int
        package var count: Int

        package var description: String {
            let name = of == 1 ? "`\(coding.rawValue)`" : "`\(coding.rawValue)`, coding \(number) of \(of),"
            return switch kind {
            case .foreign: "\(name) cannot be undone: the \(count) bytes do not begin so"
            case .broken: "\(name) cannot be undone: it is broken at byte \(offset) of \(count)"
            case .endsEarly: "\(name) cannot be undone: it ends early, at byte \(count)"
            case .parts:
                "\(name) has more than \(BodyDecoder.mostParts) parts (members or frames), as far as byte \(offset) of "
                    + "\(count)"
            case .trailing: "\(name) ends at byte \(offset) of \(count), and what follows is not a part of it"
            }
        }
    }

    /// The most codings of one body.
    package static let mostCodings = 4
    /// The most parts of a body that are compressed by themselves, members of gzip or frames of zstd. Each costs time
    /// of its own, though nothing may come out of it.
    package static let mostParts = 10_000
    private static let pieceBytes = 64 << 10

    private let codings: [ContentCoding]
    private let limit: Int

    /// - Parameters:
    ///   - codings: in the order in which they were applied, of those that are available.
    ///   - limit: the most bytes that may come out.
    package init(_ codings: [ContentCoding], limit: Int) { (self.codings, self.limit) = (codings, limit) }

    /// - Parameter reserve: is asked before more bytes are held; whether there is room for so many.
    package func decode(
        _ body: [UInt8], reserve: (_ more: Int) -> Bool = { _ in true }
    ) throws(Failure) -> [UInt8] {
        var bytes = body
        for index in codings.indices.reversed() { bytes = try undo(coding: index, of: bytes, reserve: reserve) }
        return bytes
    }

    private func undo(coding index: Int, of bytes: [UInt8], reserve: (Int) -> Bool) throws(Failure) -> [UInt8] {
        let form = Self.form(of: codings[index], bytes)
        var (out, offset, parts): ([UInt8], Int, Int) = ([], 0, 1)
        guard form.mayBegin(bytes[...]), !bytes.isEmpty else { throw flaw(.foreign, coding: index, at: 0, of: bytes) }
        guard let decoder = form.decoder() else { throw .noRoom }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let step: DecodingStep
            do throws(DecodingFailure) {
                step = try bytes.withUnsafeBufferPointer { (all) throws(DecodingFailure) in
                    try decoder.decode(
                        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[offset...]), into: piece)
                }
            } catch {
                throw flaw(.broken, coding: index, at: offset + error.read, of: bytes)
            }
            offset += step.read
            guard out.count + step.written <= limit else { throw .tooLarge }
            guard reserve(step.written) else { throw .noRoom }
            out += piece.prefix(step.written)
            if step.isEnd {
                if offset == bytes.count { return out }
                guard form.mayRepeat, form.mayBegin(bytes[offset...]), decoder.beginNextFrame() else {
                    throw flaw(.trailing, coding: index, at: offset, of: bytes)
                }
                parts += 1
                guard parts <= Self.mostParts else { throw flaw(.parts, coding: index, at: offset, of: bytes) }
            } else if step.read == 0, step.written == 0 {
                throw flaw(.endsEarly, coding: index, at: offset, of: bytes)
            }
        }
    }

    private func flaw(_ kind: Flaw.Kind, coding index: Int, at offset: Int, of bytes: [UInt8]) -> Failure {
        .unreadable(
            Flaw(
                kind: kind, coding: codings[index], number: index + 1, of: codings.count, offset: offset,
                count: bytes.count))
    }

    private static func form(of coding: ContentCoding, _ bytes: [UInt8]) -> CompressedForm {
        switch coding {
        case .gzip: .gzip
        case .deflate: CompressedForm.isZlib(bytes) ? .zlib : .rawDeflate
        case .brotli: .brotli
        case .zstd: .zstd
        }
    }
}
