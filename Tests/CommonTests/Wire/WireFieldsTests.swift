import TestSupport
import Testing

@testable import Common

@Suite struct WireFieldsTests {
    /// Lengths around each step of LEB128.
    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
    func `carries values of any length`(_ count: Int) throws {
        var writer = WireWriter(reserving: 0)
        writer.field(9, [UInt8](repeating: 0xAB, count: count))
        writer.field(8, UInt64.max)
        var reader = WireReader(writer.bytes)
        let first = try #require(try reader.next())
        #expect(first.tag == 9 && first.value.count == count && first.value.allSatisfy { $0 == 0xAB })
        let second = try #require(try reader.next())
        #expect(try second.tag == 8 && WireReader.integer(second.value) == .max)
        #expect(try reader.next() == nil)
    }

    @Test(
        arguments: [
            [1], [1, 1], [1, 0x80], [1, 2, 0], [1, 0xFF, 0xFF, 0xFF, 0xFF], [1, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] as [[UInt8]])
    func `refuses a length that is not there`(_ bytes: [UInt8]) {
        #expect(throws: WireError.truncated) {
            var reader = WireReader(bytes)
            while try reader.next() != nil {}
        }
    }

    @Test func `refuses values of another form`() {
        #expect(throws: WireError.badField) { try WireReader.string([0xC3]) }
        #expect(throws: WireError.badField) { try WireReader.string([0xED, 0xA0, 0x80]) }
        #expect(throws: WireError.badField) { try WireReader.integer([0, 0, 0, 0, 0, 0, 0]) }
        #expect(throws: WireError.badField) { try WireReader.integer([0, 0, 0, 0, 0, 0, 0, 0, 0]) }
        #expect(throws: WireError.badField) { try WireReader.header([65, 66]) }
        #expect(throws: WireError.badField) { try WireReader.header([65, 0, 0xFF]) }
    }

    /// Whatever stands in Redis, reading it ends with a value or an error.
    @Test func `reads anything without a trap`() throws {
        for seed in try FuzzFixture.seeds() {
            var random = SeededRandom(seed: seed)
            for _ in 0..<FuzzFixture.iterations {
                var bytes = random.chance(oneIn: 3) ? Job.full.wireBytes : random.pick(ResponseFrame.samples).wireBytes
                for _ in 0...random.below(4) where !bytes.isEmpty {
                    switch random.below(4) {
                    case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes.removeLast(random.below(bytes.count))
                    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count + 1))
                    default: bytes.append(contentsOf: bytes.prefix(random.below(64)))
                    }
                }
                if let job = try? Job(wireBytes: bytes) { #expect(try Job(wireBytes: job.wireBytes) == job) }
                if let frame = try? ResponseFrame(wireBytes: bytes) {
                    #expect(try ResponseFrame(wireBytes: frame.wireBytes) == frame)
                }
            }
        }
    }
}
