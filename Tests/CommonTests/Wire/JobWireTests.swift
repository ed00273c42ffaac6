import Testing

@testable import Common

@Suite struct JobWireTests {
    @Test(arguments: [Job.full, .least, .routed])
    func `comes back whole`(_ job: Job) throws {
        #expect(try Job(wireBytes: job.wireBytes) == job)
    }

    @Test(arguments: [
        ContentLogging.withheld, .redacted(LogRedaction(presets: ["email", "later"])),
        .redacted(LogRedaction(patterns: [.init("é+", replacement: "[x]"), .init("a", replacement: "")])),
    ])
    func `what its trace shows travels`(_ logging: ContentLogging) throws {
        var job = Job.full
        job.logging = logging
        #expect(try Job(wireBytes: job.wireBytes) == job)
        #expect(try Job(wireBytes: job.wireBytes).isWithheld == (logging == .withheld))
    }

    @Test func `carries a large body to the byte`() throws {
        var job = Job.full
        job.body = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try Job(wireBytes: job.wireBytes).body == job.body)
    }

    /// Only who queues a job compares its request with another's.
    @Test func `the requests fingerprint does not travel`() throws {
        var job = Job.full
        job.idempotency = Idempotency(
            clientKey: "k", project: "p", account: nil, request: [[1]], envelope: Envelope(key: .random()))
        let idempotency = try #require(try Job(wireBytes: job.wireBytes).idempotency)
        #expect(idempotency.key == job.idempotency?.key && idempotency.fingerprint.isEmpty)
    }

    @Test func `a key is not shown`() {
        #expect(!"\(Job.full)".contains("sk-canary"))
    }

    /// A cut at the border of two fields may leave a job; any other is refused. None traps.
    @Test func `no truncation goes unseen within a field`() throws {
        let bytes = Job.routed.wireBytes
        var borders: Set<Int> = []
        var reader = WireReader(bytes)
        var position = 0
        while let field = try reader.next() {
            borders.insert(position)
            position = field.value.endIndex
        }
        for length in 0..<bytes.count {
            let job = try? Job(wireBytes: Array(bytes[..<length]))
            if !borders.contains(length) { #expect(job == nil) }
            #expect(job != .routed)
        }
    }

    @Test(arguments: [0x01, 0x80, 0xFF] as [UInt8])
    func `damage is refused or another job`(_ mask: UInt8) throws {
        let bytes = Job.routed.wireBytes
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= mask
            guard let job = try? Job(wireBytes: damaged) else { continue }
            #expect(job != .routed)
            #expect(try Job(wireBytes: job.wireBytes) == job)
        }
    }

    @Test func `skips tags of a later version`() throws {
        var writer = WireWriter(reserving: 0)
        writer.field(200, Array(repeating: 7, count: 300))
        let unknown = writer.bytes
        #expect(try Job(wireBytes: unknown + Job.full.wireBytes + unknown) == .full)
    }

    /// The fields that must be there, each left out, by its tag.
    @Test(arguments: [1, 2, 5, 6, 13, 14] as [UInt8])
    func `refuses a job without a field`(_ missing: UInt8) throws {
        var writer = WireWriter(reserving: 0)
        var reader = WireReader(Job.least.wireBytes)
        while let (tag, value) = try reader.next() {
            if tag != missing { writer.field(tag, value) }
        }
        #expect(throws: WireError.missingField) { try Job(wireBytes: writer.bytes) }
    }

    @Test(arguments: [1, 4, 6])
    func `refuses another number of rollout IDs`(_ count: Int) {
        var writer = WireWriter(reserving: 0)
        for _ in 0..<count { writer.field(3, "id") }
        #expect(throws: WireError.badField) { try Job(wireBytes: Job.least.wireBytes + writer.bytes) }
    }

}

/// The operator's rules in a job on the stream.
@Suite struct JobRulesTests {
    @Test func `hash and limits come back`() throws {
        var job = Job.full
        job.rules = JobRules(
            hash: "0123456789abcdef", limits: ["{metadata.team}-tokens", "é", "all"],
            others: ["mail", "e\u{301}"])
        #expect(try Job(wireBytes: job.wireBytes) == job)
        #expect(try Job(wireBytes: Job.full.wireBytes).rules == JobRules())
    }

    /// A process of version 0.1.0 passes over the fields that it does not know.
    @Test func `the other fields are the same with and without`() throws {
        var job = Job.full
        job.rules = JobRules(hash: "0123456789abcdef", limits: ["a", "b"])
        var (reader, others) = (WireReader(job.wireBytes), WireWriter(reserving: 0))
        while let (tag, value) = try reader.next() {
            if tag != 21, tag != 22 { others.field(tag, value) }
        }
        #expect(others.bytes == Job.full.wireBytes)
    }
}

/// The metadata of a job on the stream.
@Suite struct JobMetadataTests {
    private static func job(_ entries: [ResolvedMetadata.Entry]) -> Job {
        var job = Job.full
        for entry in entries { job.metadata.set(entry.key, to: entry.value, from: entry.origin) }
        return job
    }

    @Test(arguments: ResolvedMetadata.Origin.allCases) func `comes back with its origin`(
        origin: ResolvedMetadata.Origin
    ) throws {
        let job = Self.job([.init("team", "r\u{0}é:\n", from: origin), .init("empty", "", from: .header)])
        let read = try Job(wireBytes: job.wireBytes)
        #expect(read == job && read.metadata.entries.map(\.origin) == [origin, .header])
    }

    /// Bytes decide, so these are two keys.
    @Test func `keys that look alike stay apart`() throws {
        let job = Self.job([.init("e\u{301}", "1", from: .header), .init("\u{e9}", "2", from: .key)])
        #expect(try Job(wireBytes: job.wireBytes).metadata.entries.map(\.value) == ["1", "2"])
        #expect(job.metadata["\u{e9}"]?.value == "2")
    }

    /// A process of this version still works on what a later one queued.
    @Test func `an unknown origin is the client's claim`() throws {
        var writer = WireWriter(reserving: 0)
        writer.field(18, [200] + Array("team".utf8) + [0] + Array("red".utf8))
        let job = try Job(wireBytes: Job.least.wireBytes + writer.bytes)
        #expect(job.metadata.entries == [.init("team", "red", from: .header)])
    }

    @Test(arguments: [[], [1], [1, 0x61]] as [[UInt8]]) func `half of an entry is refused`(value: [UInt8]) throws {
        var writer = WireWriter(reserving: 0)
        writer.field(18, value)
        #expect(throws: WireError.badField) { try Job(wireBytes: Job.least.wireBytes + writer.bytes) }
    }

    /// A process of version 0.1.0 passes over the one field that it does not know.
    @Test func `the other fields are the same with and without`() throws {
        let with = Self.job([.init("team", "red", from: .header)]).wireBytes
        var (reader, others) = (WireReader(with), WireWriter(reserving: 0))
        while let (tag, value) = try reader.next() {
            if tag != 18 { others.field(tag, value) }
        }
        #expect(others.bytes == Job.full.wireBytes)
    }

    @Test func `a later source replaces the value and its origin`() {
        var metadata = ResolvedMetadata()
        metadata.set("a", to: "1", from: .header)
        metadata.set("b", to: "2", from: .header)
        metadata.set("a", to: "3", from: .key)
        #expect(metadata.entries == [.init("a", "3", from: .key), .init("b", "2", from: .header)])
        #expect(metadata["c"] == nil && !metadata.isEmpty)
    }
}
