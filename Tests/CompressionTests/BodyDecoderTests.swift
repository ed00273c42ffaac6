import Compression
import TestSupport
import Testing

@Suite struct BodyDecoderTests {
    private static let text = Array(Compressed.text.utf8)
    private static let forms: [(ContentCoding, [UInt8])] = [
        (.gzip, Compressed.gzip), (.deflate, Compressed.zlib), (.deflate, Compressed.raw), (.zstd, Compressed.zstd),
        (.brotli, Compressed.brotli),
    ]

    /// Noise and long runs, so that pieces end at any place.
    private static func sample(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 % 7 == 0 ? $0 &* $0 >> 3 : 65) }
    }

    @Test(arguments: forms) func `each form is undone`(coding: ContentCoding, bytes: [UInt8]) throws {
        guard coding.isAvailable else { return }
        #expect(try BodyDecoder([coding], limit: Self.text.count).decode(bytes) == Self.text)
    }

    @Test(arguments: [0, 1, 100, 65_536, 70_000, 5_000_000]) func `what is compressed comes back`(count: Int) throws {
        let bytes = Self.sample(count)
        let once = try #require(Gzip.compress(bytes))
        #expect(try BodyDecoder([.gzip], limit: count).decode(once) == bytes)
        let twice = try #require(Gzip.compress(once))
        let limit = max(count, once.count)
        #expect(try BodyDecoder([.gzip, .gzip], limit: limit).decode(twice) == bytes)
        // RFC 1952 §2.2: members in a row are one file.
        #expect(try BodyDecoder([.gzip], limit: 2 * count).decode(once + once) == bytes + bytes)
    }

    @Test func `codings are undone from the last one`() throws {
        let bytes = try #require(Gzip.compress(Compressed.zlib))
        #expect(try BodyDecoder([.deflate, .gzip], limit: 100).decode(bytes) == Self.text)
        guard case .unreadable(let flaw)? = failure([.gzip, .deflate], bytes) else { return void() }
        #expect(flaw.coding == .deflate && flaw.number == 2 && flaw.of == 2)
    }

    @Test(arguments: forms) func `what ends early is refused`(coding: ContentCoding, bytes: [UInt8]) {
        guard coding.isAvailable else { return }
        for count in 1..<bytes.count {
            guard case .unreadable(let flaw)? = failure([coding], Array(bytes.prefix(count))) else { return void() }
            #expect([.endsEarly, .foreign].contains(flaw.kind) && flaw.count == count, "\(flaw)")
        }
    }

    @Test(arguments: forms) func `what follows the end is refused`(coding: ContentCoding, bytes: [UInt8]) {
        guard coding.isAvailable else { return }
        for garbage: [UInt8] in [[0], [10], Array("{}".utf8), Array(repeating: 255, count: 100_000)] {
            guard case .unreadable(let flaw)? = failure([coding], bytes + garbage) else { return void() }
            #expect(flaw.kind == .trailing && flaw.offset == bytes.count, "\(flaw)")
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd]) func `what is plain is refused`(coding: ContentCoding) {
        guard coding.isAvailable else { return }
        guard case .unreadable(let flaw)? = failure([coding], Self.text) else { return void() }
        #expect("\(flaw)".contains("`\(coding.rawValue)`"))
    }

    @Test func `the flaw says where`() throws {
        var bytes = try #require(Gzip.compress(Self.sample(200_000)))
        bytes[bytes.count - 5] ^= 0xFF
        guard case .unreadable(let flaw)? = failure([.gzip], bytes) else { return void() }
        #expect(flaw.kind == .broken && flaw.offset > bytes.count - 9 && flaw.offset <= bytes.count, "\(flaw)")
        #expect("\(flaw)" == "`gzip` cannot be undone: it is broken at byte \(flaw.offset) of \(bytes.count)")
    }

    @Test func `a bomb is stopped at its bound`() throws {
        let bomb = try #require(Gzip.compress([UInt8](repeating: 0, count: 10 << 20)))
        #expect(failure([.gzip], bomb, limit: 1 << 20) == .tooLarge)
        #expect(failure([.gzip], bomb, limit: 10 << 20) == nil)
        #expect(failure([.gzip], bomb, limit: 10 << 20 - 1) == .tooLarge)
        // What lies between two codings is bounded too.
        let nested = try #require(Gzip.compress(bomb))
        #expect(failure([.gzip, .gzip], nested, limit: 1 << 20) == .tooLarge)
    }

    @Test func `room is asked for before it is taken`() throws {
        let body = try #require(Gzip.compress(Self.sample(300_000)))
        var held = 0
        #expect(throws: BodyDecoder.Failure.noRoom) {
            try BodyDecoder([.gzip], limit: .max).decode(body) { more in
                guard held + more <= 100_000 else { return false }
                held += more
                return true
            }
        }
    }

    @Test func `names are read in any case`() {
        #expect(ContentCoding.names(in: [" GZip ,identity", "", "Deflate"]) == ["GZip", "Deflate"])
        #expect(ContentCoding(name: "X-GZIP") == .gzip && ContentCoding(name: "BR") == .brotli)
        #expect(ContentCoding(name: "utf-8") == nil)
    }

    private func failure(
        _ codings: [ContentCoding], _ bytes: [UInt8], limit: Int = 1 << 24
    ) -> BodyDecoder.Failure? {
        do throws(BodyDecoder.Failure) {
            _ = try BodyDecoder(codings, limit: limit).decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    private func void() { Issue.record("it was taken for another failure, or for none") }
}
