import Testing

@testable import Common

@Suite struct EnvelopeTests {
    private let key = GatewayKey.random()
    private let place = Envelope.Context.job(.full)

    @Test(arguments: [0, 1, 15, 16, 17, 1 << 20])
    func `opens what it sealed`(_ count: Int) throws {
        let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let envelope = Envelope(key: key)
        let sealed = try envelope.seal(plaintext, for: place)
        #expect(sealed.count == count + Envelope.overhead)
        #expect(try envelope.open(sealed, for: place) == plaintext)
        #expect(
            try Envelope(key: key).open(sealed, for: place) == plaintext, "another process of the gateway opens it too")
    }

    @Test func `hides what it sealed`() throws {
        let canary = Array("sk-canary-0123456789".utf8)
        let sealed = try Envelope(key: key).seal(canary, for: place)
        #expect(!sealed.indices.contains { sealed[$0...].starts(with: canary.prefix(4)) })
    }

    @Test func `opens in its place only`() throws {
        let envelope = Envelope(key: key)
        let sealed = try envelope.seal([1, 2, 3], for: place)
        for other in [.job(.numbered(2)), .frame(.numbered(1))] as [Envelope.Context] {
            #expect(throws: EnvelopeError.wrongSeal) { try envelope.open(sealed, for: other) }
        }
    }

    @Test func `opens with its key only`() throws {
        let sealed = try Envelope(key: key).seal([1, 2, 3], for: place)
        #expect(throws: EnvelopeError.otherKey) { try Envelope(key: .random()).open(sealed, for: place) }
    }

    /// Version, salt, counter, text and tag: each bit counts.
    @Test func `refuses every damage`() throws {
        let envelope = Envelope(key: key)
        let sealed = try envelope.seal(Array("forty-two bytes of a prompt, more or less.".utf8), for: place)
        for position in sealed.indices {
            for bit in 0..<8 {
                var damaged = sealed
                damaged[position] ^= 1 << bit
                #expect(throws: EnvelopeError.self) { try envelope.open(damaged, for: place) }
            }
        }
        for length in 0..<sealed.count {
            #expect(throws: EnvelopeError.self) { try envelope.open(Array(sealed[..<length]), for: place) }
        }
        #expect(throws: EnvelopeError.wrongSeal) { try envelope.open(sealed + [0], for: place) }
    }

    /// Salt and counter together are the nonce. It never comes twice, in one process or in several.
    @Test func `nonces never repeat`() async throws {
        let envelopes = (0..<4).map { _ in Envelope(key: key) }
        let nonces = try await withThrowingTaskGroup(of: [[UInt8]].self) { [place] group in
            for index in 0..<8 {
                group.addTask {
                    try (0..<2000).map { _ in Array(try envelopes[index % 4].seal([], for: place)[1..<25]) }
                }
            }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.formUnion($1) }
        }
        #expect(nonces.count == 16_000)
    }

    /// More processes than it remembers, and garbage between them: all still open.
    @Test func `opens for any number of processes`() throws {
        let reader = Envelope(key: key)
        let entries = try (0..<1100).map { try Envelope(key: key).seal([UInt8($0 % 256)], for: place) }
        for _ in 0..<2 {
            for (index, entry) in entries.enumerated() {
                #expect(try reader.open(entry, for: place) == [UInt8(index % 256)])
                #expect(throws: EnvelopeError.wrongSeal) {
                    try reader.open(entry.dropLast() + [~entry[entry.count - 1]], for: place)
                }
            }
        }
    }
}
