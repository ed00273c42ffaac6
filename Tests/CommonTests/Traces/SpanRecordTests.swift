import TestSupport
import Testing

@testable import Common

@Suite struct SpanRecordTests {
    private static let id = InsertionID.numbered(1)

    private static func record(_ fill: (inout SpanRecordWriter) -> Void = { _ in }) -> [UInt8] {
        var writer = SpanRecordWriter(id, name: "n\"", end: id.time + 5, capacity: 0)
        fill(&writer)
        return writer.bytes
    }

    @Test func `what is written is read`() throws {
        let long = String(repeating: "é\u{0}", count: 100)
        let record = try SpanRecord(
            Self.record { writer in
                writer.texts(.tags, ["a", "", long])
                writer.begin(.input, count: 3)
                writer.append(Array("xabx".utf8), 1..<3)
                writer.append([0x63], 0..<1)
                writer.text(.output, "")
                writer.fail("why")
            })
        #expect(record.id == Self.id && record.name == "n\"" && record.end == Self.id.time + 5)
        #expect(record.hasFailed && record.failure == "why")
        #expect(record.texts(.tags).map { String(decoding: record.bytes[$0], as: UTF8.self) } == ["a", "", long])
        #expect(record.text(.input) == "abc" && record.text(.output) == nil && record.range(.output) != nil)
        #expect(record.range(.user) == nil && record.attributes == [.tags, .input, .output])
    }

    @Test func `it is one object of OTLP`() throws {
        let record = try SpanRecord(
            Self.record { writer in
                writer.texts(.tags, ["a\"", "b"])
                writer.text(.status, "200")
                writer.text(.temperature, "1e-1")
                writer.text(.user, "é\n")
            })
        #expect(
            String(decoding: record.otlp, as: UTF8.self)
                == #"{"traceId":"\#(Self.id.hex)","spanId":"\#(Self.id.hex.suffix(16))","#
                + #""name":"n\"","kind":3,"startTimeUnixNano":"\#(Self.id.milliseconds)000000","endTimeUnixNano":"\#(record.end.milliseconds)000000","#
                + #""attributes":[{"key":"langfuse.trace.tags","value":{"arrayValue":{"values":[{"stringValue":"a\""},{"stringValue":"b"}]}}},"#
                + #"{"key":"http.response.status_code","value":{"intValue":"200"}},"#
                + #"{"key":"gen_ai.request.temperature","value":{"doubleValue":1e-1}},{"key":"user.id","value":{"stringValue":"é\n"}}],"#
                + #""status":{"code":1}}"#)
    }

    /// A span that ends before its id was made: the clock went back.
    @Test func `it ends not before it begins`() throws {
        let record = try SpanRecord(SpanRecordWriter(Self.id, name: "", end: 1, capacity: 0).bytes)
        #expect(record.end == Self.id.time)
    }

    /// Fields that a newer process adds within the form.
    @Test(arguments: [6, 15, 200, 255] as [UInt8]) func `unknown fields are passed over`(tag: UInt8) throws {
        let record = Self.record { $0.text(.user, "u") }
        let read = try SpanRecord(record + [tag, 2, 1, 1])
        #expect(try read.otlp == SpanRecord(record).otlp)
    }

    /// Numbers are for ever: other versions of the gateway read them.
    @Test func `numbers stay as they are`() {
        #expect(SpanAttribute.type.rawValue == 16 && SpanAttribute.errorType.rawValue == 59)
        #expect(SpanAttribute.input.rawValue == 55 && SpanAttribute.usageDetails.rawValue == 48)
        #expect(Set(SpanAttribute.allCases.map { UTF8Text($0.key) }).count == SpanAttribute.allCases.count)
    }

    @Test func `what is none is refused`() throws {
        let good = Self.record { writer in
            writer.texts(.tags, ["a", "b"])
            writer.text(.input, "some text")
        }
        let none: [[UInt8]] = [
            [], [2] + good.dropFirst(), Array("{}".utf8), [SpanRecord.form], [1, 1, 2, 0, 0],
            [1, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ]
        for bytes in none {
            #expect(throws: WireError.self, "\(bytes)") { try SpanRecord(bytes) }
        }
        // Any bytes are read within their bounds or refused.
        for end in good.indices { _ = try? SpanRecord(Array(good[..<end])).otlp }
        var random = SeededRandom(seed: 7)
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<3 {
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            _ = try? SpanRecord(bytes).otlp
        }
    }
}
