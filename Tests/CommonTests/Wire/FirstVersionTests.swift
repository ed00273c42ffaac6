import Crypto
import FoundationEssentials
import Testing

@testable import Common

/// One version back: this version reads what 0.1.0 wrote, and 0.1.0 reads what this version writes.
@Suite struct FirstVersionTests {
    private let envelope: Envelope
    private let key: GatewayKey

    init() throws {
        key = try #require(FirstVersion.key)
        envelope = Envelope(key: key)
    }

    @Test func `its sealed jobs are read`() throws {
        #expect(try Job(wireBytes: envelope.open(FirstVersion.sealedJobFull, for: .job(.numbered(1)))) == .full)
        #expect(
            try Job(wireBytes: envelope.open(FirstVersion.sealedQuestion, for: .job(.numbered(2), on: .verifications)))
                == .least)
    }

    @Test(arguments: ResponseFrame.samples.indices) func `its sealed frames are read`(index: Int) throws {
        let frame = try envelope.open(FirstVersion.sealedFrames[index], for: .frame(.numbered(1)))
        #expect(try ResponseFrame(wireBytes: frame) == ResponseFrame.samples[index])
    }

    @Test func `its sealed spans and log entries are read`() throws {
        #expect(try envelope.open(FirstVersion.sealedSpan, for: .span(.numbered(1))) == Array(FirstVersion.span.utf8))
        #expect(
            try envelope.open(FirstVersion.sealedLog, for: .value(of: Keys.logs(of: Rollout("r", project: "local"))))
                == Array(FirstVersion.log.utf8))
    }

    @Test func `its payloads are read`() throws {
        #expect(try Job(wireBytes: FirstVersion.jobFull) == .full)
        #expect(try Job(wireBytes: FirstVersion.jobLeast) == .least)
        for (bytes, frame) in zip(FirstVersion.frames, ResponseFrame.samples) {
            #expect(try ResponseFrame(wireBytes: bytes) == frame)
        }
    }

    /// It skips fields that it does not know, and asks for those that it does.
    @Test func `what is written has its fields`() throws {
        let (job, least) = (try fields(Job.full.wireBytes), try fields(Job.least.wireBytes))
        #expect(
            try fields(FirstVersion.jobFull).allSatisfy(job.contains)
                && fields(FirstVersion.jobLeast).allSatisfy(least.contains))
        for (bytes, frame) in zip(FirstVersion.frames, ResponseFrame.samples) {
            let written = try fields(frame.wireBytes)
            #expect(try fields(bytes).allSatisfy(written.contains))
        }
    }

    private func fields(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var (reader, fields) = (WireReader(bytes), [[UInt8]]())
        while let (tag, value) = try reader.next() { fields.append([tag] + value) }
        return fields
    }

    @Test(
        arguments: [
            ("a job", .job(.full)), ("a question", .job(.full, on: .verifications)), ("a frame", .frame(.numbered(1))),
            ("a span", .span(.numbered(1), holding: Array("{}".utf8))), ("a value", .value(of: "gateway/logs/local/r")),
        ] as [(String, Envelope.Context)])
    func `it opens what is sealed`(what: String, place: Envelope.Context) throws {
        #expect(try open(envelope.seal([1, 2, 3], for: place), place.authenticated(at: 1)) == [1, 2, 3], "\(what)")
    }

    /// It gives up what it cannot open: where its exporters may be, spans are written as it knows them. Only the
    /// process whose own trace store takes them writes them otherwise (`JobRunner.writesCompactSpans`).
    @Test func `only OTLP is written in its version`() throws {
        #expect(Envelope.Context.span(.numbered(1), holding: Array("{}".utf8)).version == 1)
        #expect(Envelope.Context.span(.numbered(1), holding: [SpanRecord.form]).version == 2)
    }

    /// As version 0.1.0 opened an envelope.
    private func open(_ sealed: [UInt8], _ place: [UInt8]) throws -> [UInt8] {
        try #require(sealed.count >= 41 && sealed[0] == 1)
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key.reveal()), salt: Array(sealed[1..<17]),
            info: Array("metadata-gateway envelope".utf8),
            outputByteCount: 32)
        let box = try AES.GCM.SealedBox(
            nonce: AES.GCM.Nonce(data: [0, 0, 0, 0] + sealed[17..<25]), ciphertext: sealed[25..<sealed.count - 16],
            tag: sealed.suffix(16))
        return Array(try AES.GCM.open(box, using: derived, authenticating: place))
    }
}
