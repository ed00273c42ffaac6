import TestSupport
import Testing

@testable import TraceStore

/// Both forms of an export are read alike, and nothing that is not whole is read at all.
struct OTLPTests {
    private static let traceID: [UInt8] = [0x01, 0x98] + Array(repeating: 0xAB, count: 14)

    private static let export = ProtobufWriter.message { export in
        export.message(1) { resourceSpans in
            resourceSpans.message(2) { scopeSpans in
                scopeSpans.message(2) { writeSpan(&$0) }
                scopeSpans.message(1) { scope in
                    scope.text(1, "litellm")
                    scope.text(2, "9")
                    scope.attribute(3, key: "k", value: "v")
                }
            }
            resourceSpans.message(1) { $0.attribute(1, key: "service.name", value: "litellm") }
        }
    }

    private static func writeSpan(_ span: inout ProtobufWriter) {
        span.field(1, traceID)
        span.field(2, Array(repeating: 0x0F, count: 8))
        span.text(3, "state")
        span.field(4, Array(repeating: 1, count: 8))
        span.text(5, "näme")
        span.varint(6, 3)
        span.fixed64(7, 1_795_348_800_123_456_789)
        span.fixed64(8, 1_795_348_801_000_000_000)
        span.attribute(9, key: "text", value: "value")
        span.attribute(9, key: "flag") { $0.varint(2, 1) }
        span.attribute(9, key: "int") { $0.varint(3, UInt64(bitPattern: -5)) }
        span.attribute(9, key: "double") { $0.fixed64(4, (1.5).bitPattern) }
        span.attribute(9, key: "list") { value in
            value.message(5) { list in
                list.message(1) { $0.text(1, "a,b") }
                list.message(1) { $0.varint(3, 2) }
            }
        }
        span.attribute(9, key: "map") { value in value.message(6) { $0.attribute(1, key: "inner", value: "x") } }
        span.attribute(9, key: "bytes") { $0.field(7, [0, 255]) }
        span.attribute(9, key: "empty") { _ in }
        span.message(15) { status in
            status.text(2, "broken")
            status.varint(3, 2)
        }
        span.fixed32(16, 0x101)
    }

    private static let json = """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"litellm"}}]},"scopeSpans":[{
        "scope":{"name":"litellm","version":"9","attributes":[{"key":"k","value":{"stringValue":"v"}}]},"spans":[{
        "traceId":"0198abababababababababababababab","spanId":"0f0f0f0f0f0f0f0f","traceState":"state","parentSpanId":"0101010101010101",
        "name":"n\\u00e4me","kind":3,
        "startTimeUnixNano":"1795348800123456789","endTimeUnixNano":1795348801000000000,"attributes":[
        {"key":"text","value":{"stringValue":"value"}},{"key":"flag","value":{"boolValue":true}},{"key":"int","value":{"intValue":"-5"}},
        {"key":"double","value":{"doubleValue":1.5}},
        {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a,b"},{"intValue":2}]}}},
        {"key":"map","value":{"kvlistValue":{"values":[{"key":"inner","value":{"stringValue":"x"}}]}}},
        {"key":"bytes","value":{"bytesValue":"AP8="}},{"key":"empty","value":{}}],"status":{"code":2,"message":"broken"}}]}]}]}
        """

    @Test func `both forms are read alike`() throws {
        var span = OTLPSpan()
        span.traceID = "0198abababababababababababababab"
        span.spanID = "0f0f0f0f0f0f0f0f"
        span.parentID = "0101010101010101"
        span.name = "näme"
        span.start = 1_795_348_800_123_456_789
        span.end = 1_795_348_801_000_000_000
        span.isError = true
        span.statusMessage = "broken"
        span.resource = OTLPAttributes([OTLPAttribute(key: "service.name", value: .string("litellm"))])
        span.scope = OTLPScope(
            name: "litellm", version: "9", attributes: OTLPAttributes([OTLPAttribute(key: "k", value: .string("v"))]))
        var attributes = [
            OTLPAttribute(key: "text", value: .string("value")), OTLPAttribute(key: "flag", value: .bool(true)),
            OTLPAttribute(key: "int", value: .int(-5)), OTLPAttribute(key: "double", value: .double(1.5)),
            OTLPAttribute(key: "list", value: .array([.string("a,b"), .int(2)])),
            OTLPAttribute(key: "map", value: .map([OTLPAttribute(key: "inner", value: .string("x"))])),
            OTLPAttribute(key: "bytes", value: .bytes([0, 255])), OTLPAttribute(key: "empty", value: .empty),
        ]
        span.attributes = OTLPAttributes(attributes)
        #expect(try OTLPProtobuf.spans(Self.export) == [span])
        attributes[6].value = .string("AP8=")
        span.attributes = OTLPAttributes(attributes)
        #expect(try OTLPJSON.spans(Array(Self.json.utf8)) == [span])
    }

    @Test func `a cut export is refused or has no span`() {
        for length in 0..<Self.export.count {
            let spans = try? OTLPProtobuf.spans(Array(Self.export.prefix(length)))
            #expect(spans?.isEmpty ?? true, "\(length) bytes")
        }
        for length in 0..<Self.json.utf8.count {
            #expect(throws: OTLPError.self) { try OTLPJSON.spans(Array(Self.json.utf8.prefix(length))) }
        }
    }

    /// Bytes at random places are changed; what comes out matters less than that something does.
    @Test func `broken bytes do no harm`() {
        var generator = SeededRandom(seed: 7)
        for _ in 0..<5000 {
            var bytes = Self.export
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
            }
            _ = try? OTLPProtobuf.spans(bytes)
        }
    }

    @Test(
        arguments: [
            [0x00], [0x08], [0x0A, 0x05, 0x01], [0x0B], [0x0C], [0x0F],
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x09, 1, 2, 3], [0x0D, 1],
        ] as [[UInt8]])
    func `malformed fields are refused`(bytes: [UInt8]) {
        #expect(throws: OTLPError.self) {
            var reader = ProtobufReader(bytes)
            while try reader.next() != nil {}
        }
    }

    /// A span's attribute whose value is this deep a list.
    private static func export(depth: Int) -> [UInt8] {
        var value = ProtobufWriter.message { $0.text(1, "x") }
        for _ in 1..<depth {
            let inner = value
            value = ProtobufWriter.message { any in any.message(5) { $0.field(1, inner) } }
        }
        return ProtobufWriter.message { export in
            export.message(1) { resource in
                resource.message(2) { scope in scope.message(2) { span in span.message(9) { $0.field(2, value) } } }
            }
        }
    }

    @Test func `nesting is bounded`() throws {
        #expect(try OTLPProtobuf.spans(Self.export(depth: OTLPValue.maximumDepth)).count == 1)
        let tooDeep = try OTLPProtobuf.spans(Self.export(depth: OTLPValue.maximumDepth + 1))
        #expect(tooDeep.count == 1 && tooDeep[0].defect?.contains("nests more than") == true)
        let deep = String(repeating: #"{"arrayValue":{"values":["#, count: 60) + String(repeating: "]}}", count: 60)
        let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":\#(deep)}]}]}]}]}"#
        let spans = try OTLPJSON.spans(Array(json.utf8))
        #expect(spans.count == 1 && spans[0].defect?.contains("tooDeep") == true)
    }

    /// It costs its own span alone.
    @Test func `a text that is not UTF8 is refused`() throws {
        let bytes = ProtobufWriter.message { export in
            export.message(1) { resource in resource.message(2) { scope in scope.message(2) { $0.field(5, [0xFF]) } } }
            export.message(1) { resource in resource.message(2) { scope in scope.message(2) { $0.field(5, [0x61]) } } }
        }
        let spans = try OTLPProtobuf.spans(bytes)
        #expect(spans.count == 2 && spans[0].defect != nil && spans[1].defect == nil && spans[1].name == "a")
    }

    /// Two exports of a library's: the first is wrong, and the other one's span is kept.
    private static func pair(
        resource: (inout ProtobufWriter) -> Void = { _ in }, scope: (inout ProtobufWriter) -> Void = { _ in }
    ) -> [UInt8] {
        ProtobufWriter.message { export in
            export.message(1) { list in
                list.message(2) { inner in
                    inner.message(2) { $0.text(5, "bad") }
                    inner.message(2) { $0.text(5, "bad") }
                    inner.message(1, scope)
                }
                list.message(1, resource)
            }
            export.message(1) { list in list.message(2) { inner in inner.message(2) { $0.text(5, "good") } } }
        }
    }

    @Test func `a bad resource or scope in protobuf costs its own spans`() throws {
        for bytes in [
            Self.pair(resource: { pair in pair.message(1) { $0.field(1, [0xFF]) } }),
            Self.pair(resource: { $0.field(1, [0x0B]) }), Self.pair(scope: { $0.field(1, [0xFF]) }),
            Self.pair(scope: { scope in scope.message(3) { $0.field(1, [0xC3]) } }),
        ] {
            let spans = try OTLPProtobuf.spans(bytes)
            #expect(spans.map { $0.defect == nil } == [false, false, true])
            #expect(spans.last?.name == "good")
        }
        #expect(try OTLPProtobuf.spans(Self.pair()).allSatisfy { $0.defect == nil })
    }

    @Test func `a list in protobuf that cannot be read costs itself`() throws {
        let bytes = ProtobufWriter.message { export in
            export.field(1, [0x0B])
            export.message(1) { $0.field(2, [0x0B]) }
            export.message(1) { list in list.message(2) { inner in inner.message(2) { $0.text(5, "good") } } }
        }
        #expect(try OTLPProtobuf.spans(bytes).map { $0.defect == nil } == [false, false, true])
    }
}
