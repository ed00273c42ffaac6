import Testing

@testable import Common

/// One version forward: what a newer process wrote is known as such, and never taken for damage.
@Suite struct LaterVersionTests {
    static let places: [(String, Envelope.Context)] = [
        ("a job", .job(.numbered(1))), ("a question", .job(.numbered(1), on: .verifications)),
        ("a frame", .frame(.numbered(1))),
        ("a span", .span(.numbered(1))), ("a value", .value(of: "gateway/logs/local/r")),
    ]

    private let key = GatewayKey.random()

    @Test(arguments: places, [1, 2, 8, 9, 31, 123, 253] as [UInt8])
    func `a later version is for others`(_ what: (String, Envelope.Context), by step: UInt8) throws {
        let version = what.1.version + step
        var later = what.1
        later.version = version
        let sealed = try Envelope(key: key).seal([1, 2, 3], for: later)
        let reader = Envelope(key: key)
        #expect(throws: EnvelopeError.unknownVersion(version)) { try reader.open(sealed, for: what.1) }
        #expect(EnvelopeError.unknownVersion(version).isForOthers)
        #expect(try reader.open(sealed, for: later) == [1, 2, 3], "the process that knows it reads it")
    }

    /// A process that knows the next version reads this one as well.
    @Test(arguments: places) func `a later process reads the former version`(_ what: (String, Envelope.Context)) throws
    {
        var later = what.1
        later.version += 1
        #expect(try Envelope(key: key).open(Envelope(key: key).seal([7], for: what.1), for: later) == [7])
    }

    /// Else whoever can write to Redis could have a payload read as one of another version.
    @Test(arguments: [(1, 2), (2, 1), (2, 3), (3, 2)] as [(UInt8, UInt8)]) func `a version cannot be changed`(
        from: UInt8, to: UInt8
    ) throws {
        var place = Envelope.Context.job(.numbered(1))
        place.version = from
        var sealed = try Envelope(key: key).seal([1, 2, 3], for: place)
        sealed[0] = to
        place.version = 3
        #expect(throws: EnvelopeError.wrongSeal) { try Envelope(key: key).open(sealed, for: place) }
    }

    /// Whose an envelope is shows although it does not open.
    @Test func `what is not ours is told from what is damaged`() throws {
        let place = Envelope.Context.job(.numbered(1))
        let own = Envelope(key: key)
        let sealed = try own.seal(Array(repeating: 7, count: 100), for: place)
        let foreign = try Envelope(key: .random()).seal(Array(repeating: 7, count: 100), for: place)
        let cases: [(String, [UInt8], EnvelopeError)] = [
            ("another key's", foreign, .otherKey),
            ("another key's, of a later version", [3] + foreign.dropFirst(), .otherKey),
            ("another key's, damaged", foreign.dropLast() + [~foreign[foreign.count - 1]], .otherKey),
            ("ours, of a later version", [3] + sealed.dropFirst(), .unknownVersion(3)),
            ("ours, of no version", [0] + sealed.dropFirst(), .unknownVersion(0)),
            ("ours, its text damaged", sealed[..<30] + [~sealed[30]] + sealed[31...], .wrongSeal),
            ("ours, its tag damaged", sealed.dropLast() + [~sealed[sealed.count - 1]], .wrongSeal),
            ("ours, cut", sealed.dropLast(), .wrongSeal),
            ("ours, its salt damaged", sealed[..<5] + [~sealed[5]] + sealed[6...], .otherKey),
            ("a text", Array(String(repeating: "[", count: 1000).utf8), .notAnEnvelope),
            ("zeros", Array(repeating: 0, count: 1000), .notAnEnvelope),
            ("ones", Array(repeating: 0xFF, count: 1000), .notAnEnvelope),
            ("nothing", [], .notAnEnvelope),
            ("too little", Array(sealed[..<40]), .notAnEnvelope),
        ]
        for (name, bytes, error) in cases {
            #expect(throws: error, "\(name)") { try Envelope(key: key).open(Array(bytes), for: place) }
            #expect(throws: error, "\(name), to the process that sealed it") { try own.open(Array(bytes), for: place) }
        }
    }

    /// Fields that a newer process adds within a version.
    @Test(arguments: [98, 99, 255] as [UInt8]) func `unknown fields are passed over`(tag: UInt8) throws {
        for job in [Job.full, .least] {
            for value: [UInt8] in [[], [1], Array(repeating: 0xFF, count: 300)] {
                var writer = WireWriter(reserving: 0)
                writer.field(tag, value)
                #expect(try Job(wireBytes: writer.bytes + job.wireBytes) == job)
                #expect(try Job(wireBytes: job.wireBytes + writer.bytes) == job)
                for frame in ResponseFrame.samples {
                    #expect(try ResponseFrame(wireBytes: writer.bytes + frame.wireBytes + writer.bytes) == frame)
                }
            }
        }
    }
}
