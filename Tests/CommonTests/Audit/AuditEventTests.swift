import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import Common

/// Audit events on their way, and what they say of files.
@Suite struct AuditEventTests {
    private static func file(_ text: String) throws -> ConfigurationFile {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        try Data(text.utf8).write(to: URL(filePath: folder + "/keys.yaml"))
        return try ConfigurationFile(reading: folder + "/keys.yaml")
    }

    private static let id = InsertionID(milliseconds: 1_790_000_000_000, counter: 3, randomBits: 7)

    @Test func `an event is read as it was written`() throws {
        let whole = AuditEvent(
            id: Self.id, kind: .keyUsed, actor: "ingress a:1", project: "p", account: "é", user: "u\u{0}", subject: "s",
            details: .count(3, example: Self.id))
        let bare = AuditEvent(id: Self.id, kind: AuditKind(rawValue: "of.a.later.version"), actor: "")
        for event in [whole, bare] { #expect(try AuditEvent(wireBytes: event.wireBytes) == event) }
        let bytes = whole.wireBytes
        let broken: [[UInt8]] = [[], [1], [AuditEvent.form], Array(bytes.dropLast()), [1] + Array(bytes.dropFirst())]
        for bytes in broken {
            #expect(throws: WireError.self) { try AuditEvent(wireBytes: bytes) }
        }
    }

    /// A process that knows no audit events leaves them for one that does.
    @Test func `a record is of a later version`() throws {
        let envelope = Envelope(key: .random())
        let bytes = AuditEvent(id: Self.id, kind: .keyUsed, actor: "").wireBytes
        let sealed = try envelope.seal(bytes, for: .record(Self.id, holding: bytes))
        #expect(try envelope.open(sealed, for: .record(Self.id)) == bytes)
        #expect(throws: EnvelopeError.unknownVersion(3)) { try envelope.open(sealed, for: .span(Self.id)) }
        for span in [Array("{}".utf8), [SpanRecord.form]] {
            let sealed = try envelope.seal(span, for: .record(Self.id, holding: span))
            #expect(try envelope.open(sealed, for: .span(Self.id)) == span)
            #expect(try envelope.open(sealed, for: .record(Self.id)) == span)
        }
    }

    @Test func `details are bounded`() {
        let names = (0..<5000).map { "rule-\($0)-" + String(repeating: "x", count: 500) }
        var (before, after) = (FileContents(), FileContents())
        for name in names.prefix(40) { before.add(name, .scalar("a", isPlain: true)) }
        for name in names.dropFirst(40) { after.add(name, .scalar("a", isPlain: true)) }
        let details = AuditDetails.taken(from: before, to: after)
        #expect(details.json.utf8.count < AuditDetails.maximumBytes)
        #expect(details.json.contains(#""added_left_out":4928"#) && details.json.contains(#""removed_left_out":8"#))
        let large = AuditDetails { $0.member("text", String(repeating: "x", count: AuditDetails.maximumBytes)) }
        #expect(large.json == #"{"bytes_left_out":16395}"#)
    }

    @Test func `a diff names what is new gone and other`() throws {
        func contents(_ text: String) throws -> FileContents {
            let file = try Self.file(text)
            var contents = FileContents(of: [file])
            for node in try YAMLDocument(file).root.mapping().required("keys").sequence() {
                contents.add(try node.mapping().required("id").string(), node.content)
            }
            return contents
        }
        let before = try contents(
            "keys:\n  - {id: a, x: 1}\n  - {id: b, x: 1, y: [1, 2]}\n  - {id: c}\n  - {id: q, x: 1}\n")
        // Moved, its members in another order: the same. Another value, another kind of value: others.
        let after = try contents(
            "keys:\n  - {id: d}\n\n  - {y: [1, 2], id: b, x: 1}\n  - {id: a, x: 2}\n  - {id: q, x: '1'}\n")
        let changes = before.changes(to: after)
        #expect(changes.added == ["d"] && changes.removed == ["c"] && changes.changed == ["a", "q"])
        #expect(before.sha256 != after.sha256 && before.sha256.utf8.count == 64)
        #expect(AuditDetails.taken(from: before, to: before).json.hasSuffix(#","added":[],"removed":[],"changed":[]}"#))
    }

    /// As `sha256sum` says it; of several files as `cat a b | sha256sum`.
    @Test func `the hash is that of the bytes`() throws {
        let files = try ["ab", "c"].map { try Self.file($0) }
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(FileContents(of: files).sha256 == abc)
        #expect(FileContents(of: [try Self.file("abc")]).sha256 == abc)
    }

    /// A message may quote what stands in a wrong place, which may be a key.
    @Test func `a refusal says where and not what`() {
        let problems = [
            ConfigurationProblem(
                .error, at: .position(file: "/etc/gateway/keys.yaml", line: 2, column: 5), "`sk-canary` is no key"),
            ConfigurationProblem(.error, at: .file("/etc/gateway/keys.yaml"), "sk-canary"),
        ]
        let details = AuditDetails.refused("aa", because: problems, inForce: FileContents())
        #expect(
            details.json
                == #"{"sha256_in_force":"","sha256_refused":"aa","problems":2,"places":["keys.yaml:2:5","keys.yaml"]}"#)
        #expect("a/b/".lastPathComponent == "b" && "/".lastPathComponent == "/" && "a".lastPathComponent == "a")
    }

    @Test func `bytes of an ID keep its order`() {
        let ids = [(5, 1, 2), (5, 1, 3), (5, 2, 0), (6, 0, 0)].map {
            InsertionID(milliseconds: UInt64($0.0), counter: UInt64($0.1), randomBits: UInt64($0.2))
        }
        for (left, right) in zip(ids, ids.dropFirst()) { #expect(left.bytes.lexicographicallyPrecedes(right.bytes)) }
        for id in ids { #expect(InsertionID(bytes: id.bytes) == id && id >= .first(of: id.time)) }
        #expect(InsertionID(bytes: [UInt8](repeating: 0, count: 16)) == nil && InsertionID(bytes: [1]) == nil)
        #expect(InsertionID.first(of: .distantFuture).milliseconds == 1 << 48 - 1)
    }
}
