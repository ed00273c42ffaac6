internal import Common
internal import JSON

/// Reads an `ExportTraceServiceRequest` in OTLP's JSON: names in lowerCamelCase, ids in hex, 64-bit numbers as decimal
/// strings (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Members that the store does not know are
/// passed over.
enum OTLPJSON {
    /// The depth to which the document may nest: the export's own levels, and the attributes' values.
    static let maximumDepth = 12 + 4 * OTLPValue.maximumDepth

    static func spans(_ bytes: [UInt8]) throws(OTLPError) -> [OTLPSpan] {
        let spans: Result<[OTLPSpan], OTLPError>
        do throws(JSONScanError) {
            spans = try read(JSONObject.scan(bytes, maximumDepth: maximumDepth))
        } catch {
            throw OTLPError("malformed JSON at line \(error.line), column \(error.column): \(error.code)")
        }
        return try spans.get()
    }

    /// The outer error is the text's, the inner one the export's.
    private static func read(_ export: JSONObject) throws(JSONScanError) -> Result<[OTLPSpan], OTLPError> {
        var spans: [OTLPSpan] = []
        for resourceSpans in try objects(export, "resourceSpans") {
            var template = OTLPSpan()
            guard let resource = try attributes(of: try object(resourceSpans, "resource")) else {
                return .failure(notAList)
            }
            template.resource = resource
            for scopeSpans in try objects(resourceSpans, "scopeSpans") {
                guard let scope = try scope(object(scopeSpans, "scope")) else { return .failure(notAList) }
                template.scope = scope
                for text in try objects(scopeSpans, "spans") {
                    spans.append(try span(text, template))
                }
            }
        }
        return .success(spans)
    }

    private static let notAList = OTLPError(#"attributes must be a list of {"key", "value"} objects"#)

    private static func scope(_ object: JSONObject?) throws(JSONScanError) -> OTLPScope? {
        guard let attributes = try attributes(of: object) else { return nil }
        return OTLPScope(
            name: object?.text("name") ?? "", version: object?.text("version") ?? "", attributes: attributes)
    }

    private static func span(_ object: JSONObject, _ template: OTLPSpan) throws(JSONScanError) -> OTLPSpan {
        var span = template
        if let attributes = try attributes(of: object) {
            span.attributes = attributes
        } else {
            span.defect = notAList.message
        }
        span.traceID = object.text("traceId") ?? ""
        span.spanID = object.text("spanId") ?? ""
        span.parentID = object.text("parentSpanId").flatMap { $0.isEmpty ? nil : $0 }
        span.name = object.text("name") ?? ""
        span.start = object.number("startTimeUnixNano").flatMap { UInt64($0) } ?? 0
        span.end = object.number("endTimeUnixNano").flatMap { UInt64($0) } ?? 0
        if let status = try self.object(object, "status") {
            let code = status.number("code")
            span.isError = code == "2" || code == "STATUS_CODE_ERROR"
            span.statusMessage = status.text("message").flatMap { $0.isEmpty ? nil : $0 }
        }
        return span
    }

    /// Nil if the object has attributes that are no list of objects.
    private static func attributes(of object: JSONObject?) throws(JSONScanError) -> OTLPAttributes? {
        guard let object, let member = object.member("attributes"), member.kind != .null else {
            return OTLPAttributes()
        }
        return try list(object, member).map { OTLPAttributes($0) }
    }

    private static func list(
        _ object: JSONObject, _ member: JSONObject.Member
    ) throws(JSONScanError) -> [OTLPAttribute]? {
        guard let elements = object.elements(member) else { return nil }
        var list: [OTLPAttribute] = []
        list.reserveCapacity(elements.count)
        for element in elements {
            guard element.kind == .object else { return nil }
            let pair = try JSONObject.scan(object.bytes, range: element.value, maximumDepth: .max)
            list.append(
                OTLPAttribute(key: pair.text("key") ?? "", value: try self.object(pair, "value").map(value) ?? .empty))
        }
        return list
    }

    private static func value(_ object: JSONObject) throws(JSONScanError) -> OTLPValue {
        guard let member = object.members.first(where: { $0.kind != .null }), let name = object.name(of: member) else {
            return .empty
        }
        switch name {
        case "stringValue": return object.string(member).map(OTLPValue.string) ?? .empty
        case "boolValue": return object.bool(member).map(OTLPValue.bool) ?? .empty
        case "intValue": return object.number(name).flatMap { Int64($0) }.map(OTLPValue.int) ?? .empty
        case "doubleValue": return object.number(name).flatMap { Double($0) }.map(OTLPValue.double) ?? .empty
        case "arrayValue": return .array(try self.object(object, name).map(elements) ?? [])
        case "kvlistValue":
            guard let inner = try self.object(object, name), let values = inner.member("values") else {
                return .map([])
            }
            return .map(try list(inner, values) ?? [])
        // Base64 as it stands: nothing of what is shown is bytes.
        case "bytesValue": return object.string(member).map(OTLPValue.string) ?? .empty
        default: return .empty
        }
    }

    private static func elements(_ object: JSONObject) throws(JSONScanError) -> [OTLPValue] {
        var values: [OTLPValue] = []
        for element in try objects(object, "values") { values.append(try value(element)) }
        return values
    }

    private static func object(_ object: JSONObject, _ name: String) throws(JSONScanError) -> JSONObject? {
        guard let member = object.member(name) else { return nil }
        return try object.object(member)
    }

    /// The objects in an array; what is no array has none.
    private static func objects(_ object: JSONObject, _ name: String) throws(JSONScanError) -> [JSONObject] {
        guard let member = object.member(name), let elements = object.elements(member) else { return [] }
        var objects: [JSONObject] = []
        for element in elements where element.kind == .object {
            objects.append(try JSONObject.scan(object.bytes, range: element.value, maximumDepth: .max))
        }
        return objects
    }
}

extension JSONObject {
    /// The text of a string member.
    func text(_ name: String) -> String? { member(name).flatMap(string) }

    /// A number as it is written; OTLP puts those of 64 bits in quotes.
    func number(_ name: String) -> String? {
        guard let member = member(name) else { return nil }
        return member.kind == .number ? String(decoding: bytes[member.value], as: UTF8.self) : string(member)
    }
}
