/// Reads an `ExportTraceServiceRequest` in protobuf. The numbers are the fields' of opentelemetry-proto 1.x, where they
/// are stable: collector/trace/v1/trace_service.proto, trace/v1/trace.proto, resource/v1/resource.proto,
/// common/v1/common.proto.
enum OTLPProtobuf {
    static func spans(_ bytes: [UInt8]) throws(OTLPError) -> [OTLPSpan] {
        var reader = ProtobufReader(bytes)
        var spans: [OTLPSpan] = []
        while let (field, value) = try reader.next() {
            if field == 1, case .bytes(let range) = value {
                readResourceSpans(ProtobufReader(bytes, range), into: &spans)
            }
        }
        return spans
    }

    private static func readResourceSpans(_ message: ProtobufReader, into spans: inout [OTLPSpan]) {
        var template = OTLPSpan()
        let parts = parts(of: message, &template) { reader, template throws(OTLPError) in
            template.resource = try attributes(of: reader, field: 1)
        }
        // The resource may stand behind its spans.
        for range in parts { readScopeSpans(ProtobufReader(message.bytes, range), template, into: &spans) }
        if parts.isEmpty, template.defect != nil { spans.append(template) }
    }

    private static func readScopeSpans(
        _ message: ProtobufReader, _ resource: OTLPSpan, into spans: inout [OTLPSpan]
    ) {
        var template = resource
        let parts = parts(of: message, &template) { reader, template throws(OTLPError) in
            template.scope = try scope(reader)
        }
        for range in parts {
            var span = template
            if template.defect == nil {
                do throws(OTLPError) { span = try self.span(ProtobufReader(message.bytes, range), template) } catch {
                    span.defect = error.message
                }
            }
            spans.append(span)
        }
        if parts.isEmpty, template.defect != nil { spans.append(template) }
    }

    /// Reads the head of a message (field 1), and finds the parts that it is of (field 2). A fault of the message or
    /// its head is a defect of its own spans, which are found all the same, to be counted.
    private static func parts(
        of message: ProtobufReader, _ template: inout OTLPSpan,
        _ head: (ProtobufReader, inout OTLPSpan) throws(OTLPError) -> Void
    ) -> [Range<Int>] {
        var reader = message
        var parts: [Range<Int>] = []
        do throws(OTLPError) {
            while let (field, value) = try reader.next() {
                guard case .bytes(let range) = value else { continue }
                if field == 2 { parts.append(range) }
                guard field == 1 else { continue }
                do throws(OTLPError) { try head(ProtobufReader(reader.bytes, range), &template) } catch {
                    template.defect = template.defect ?? error.message
                }
            }
        } catch {
            template.defect = template.defect ?? error.message
        }
        return parts
    }

    private static func scope(_ message: ProtobufReader) throws(OTLPError) -> OTLPScope {
        var reader = message
        var scope = OTLPScope()
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            if field == 1 { scope.name = try reader.text(range) }
            if field == 2 { scope.version = try reader.text(range) }
        }
        scope.attributes = try attributes(of: message, field: 3)
        return scope
    }

    private static func span(_ message: ProtobufReader, _ template: OTLPSpan) throws(OTLPError) -> OTLPSpan {
        var reader = message
        var span = template
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): span.traceID = reader.hex(range)
            case (2, .bytes(let range)): span.spanID = reader.hex(range)
            case (4, .bytes(let range)): span.parentID = range.isEmpty ? nil : reader.hex(range)
            case (5, .bytes(let range)): span.name = try reader.text(range)
            case (7, .fixed64(let time)): span.start = time
            case (8, .fixed64(let time)): span.end = time
            case (15, .bytes(let range)): try readStatus(ProtobufReader(reader.bytes, range), into: &span)
            default: continue
            }
        }
        span.attributes = try attributes(of: message, field: 9)
        return span
    }

    private static func readStatus(_ message: ProtobufReader, into span: inout OTLPSpan) throws(OTLPError) {
        var reader = message
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (2, .bytes(let range)): span.statusMessage = range.isEmpty ? nil : try reader.text(range)
            case (3, .varint(let code)): span.isError = code == 2
            default: continue
            }
        }
    }

    /// The key-value pairs that a message has under `field`.
    private static func attributes(of message: ProtobufReader, field wanted: Int) throws(OTLPError) -> OTLPAttributes {
        OTLPAttributes(try list(of: message, field: wanted, depth: 0))
    }

    private static func list(
        of message: ProtobufReader, field wanted: Int, depth: Int
    ) throws(OTLPError) -> [OTLPAttribute] {
        var reader = message
        var list: [OTLPAttribute] = []
        while let (field, value) = try reader.next() {
            guard field == wanted, case .bytes(let range) = value else { continue }
            list.append(try attribute(ProtobufReader(reader.bytes, range), depth: depth))
        }
        return list
    }

    private static func attribute(_ message: ProtobufReader, depth: Int) throws(OTLPError) -> OTLPAttribute {
        var reader = message
        var attribute = OTLPAttribute(key: "", value: .empty)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            if field == 1 { attribute.key = try reader.text(range) }
            if field == 2 { attribute.value = try anyValue(ProtobufReader(reader.bytes, range), depth: depth + 1) }
        }
        return attribute
    }

    private static func anyValue(_ message: ProtobufReader, depth: Int) throws(OTLPError) -> OTLPValue {
        guard depth <= OTLPValue.maximumDepth else {
            throw OTLPError("an attribute nests more than \(OTLPValue.maximumDepth) arrays and maps")
        }
        var reader = message
        var result = OTLPValue.empty
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): result = .string(try reader.text(range))
            case (2, .varint(let number)): result = .bool(number != 0)
            case (3, .varint(let number)): result = .int(Int64(bitPattern: number))
            case (4, .fixed64(let bits)): result = .double(Double(bitPattern: bits))
            case (5, .bytes(let range)):
                result = .array(try elements(ProtobufReader(reader.bytes, range), depth: depth))
            case (6, .bytes(let range)):
                result = .map(try list(of: ProtobufReader(reader.bytes, range), field: 1, depth: depth))
            case (7, .bytes(let range)): result = .bytes(Array(reader.bytes[range]))
            default: continue
            }
        }
        return result
    }

    private static func elements(_ message: ProtobufReader, depth: Int) throws(OTLPError) -> [OTLPValue] {
        var reader = message
        var elements: [OTLPValue] = []
        while let (field, value) = try reader.next() {
            guard field == 1, case .bytes(let range) = value else { continue }
            elements.append(try anyValue(ProtobufReader(reader.bytes, range), depth: depth + 1))
        }
        return elements
    }
}
