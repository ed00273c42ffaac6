import Testing

@testable import Common

@Suite struct GzipTests {
    @Test(arguments: [0, 1, 100, 70_000, 5_000_000])
    func whatIsCompressedComesBack(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        let compressed = try #require(Gzip.compress(bytes))
        #expect(try Gunzip.decompress(compressed, limit: count) == bytes)
    }

    @Test func aBombIsStoppedAtItsBound() throws {
        let bomb = try #require(Gzip.compress([UInt8](repeating: 0, count: 10 << 20)))
        #expect(throws: Gunzip.Failure.tooLarge) { try Gunzip.decompress(bomb, limit: 1 << 20) }
    }

    @Test func whatIsNoGzipIsRefused() throws {
        let good = try #require(Gzip.compress([1, 2, 3]))
        for bad in [[], [1, 2, 3], Array(good.dropLast()), good + [0]] {
            #expect(throws: Gunzip.Failure.malformed) { try Gunzip.decompress(bad, limit: 100) }
        }
    }
}
