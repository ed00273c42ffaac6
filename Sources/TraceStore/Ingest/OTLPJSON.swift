internal import Common
internal import JSON

/// Reads an `ExportTraceServiceRequest` in OTLP's JSON: names in lowerCamelCase, ids in hex, 64-bit numbers as decimal
/// strings (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Members that the store does not know are
/// passed over.
enum OTLPJSON {
    /// The depth to which a span, a resource or a scope may nest: its own levels, and the attributes' values.
    static let maximumDepth = 6 + 4 * OTLPValue.maximumDepth

    /// - Throws: for what is not such a request at all. A fault within a span, a scope or a resource is a defect of its
    ///   own spans.
    static func spans(_ bytes: [UInt8]) throws(OTLPError) -> [OTLPSpan] {
        guard let outline = JSONOutline(bytes), let export = outline.members(of: outline.whole) else {
            throw malformed(bytes)
        }
        let lists = export.filter { $0.name == "resourceSpans" }
        // Which of two counts cannot be told, nor what a member without a name is.
        guard export.allSatisfy({ $0.name != nil }), lists.count <= 1 else { throw malformed(bytes) }
        var spans: [OTLPSpan] = []
        let template = OTLPSpan()
        for part in elements(outline, of: lists.map(\.value), template: template, name: "resourceSpans", into: &spans) {
            readResourceSpans(outline, at: part, template: template, into: &spans)
        }
        return spans
    }

    private static func malformed(_ bytes: [UInt8]) -> OTLPError {
        do throws(JSONScanError) {
            _ = try JSONObject.scan(bytes, maximumDepth: .max)
            return OTLPError("malformed JSON")
        } catch {
            return OTLPError("malformed JSON at line \(error.line), column \(error.column): \(error.code)")
        }
    }

    private static func readResourceSpans(
        _ outline: JSONOutline, at value: Range<Int>, template: OTLPSpan, into spans: inout [OTLPSpan]
    ) {
        var template = template
        guard let members = members(outline, at: value, head: "resource", list: "scopeSpans", template: &template)
        else {
            return spans.append(template)
        }
        read(members.head, in: outline, as: "resource", into: &template) { object, template throws(JSONScanError) in
            guard let resource = try attributes(of: object) else { return notAList.message }
            template.resource = resource
            return nil
        }
        for part in elements(outline, of: members.lists, template: template, name: "scopeSpans", into: &spans) {
            readScopeSpans(outline, at: part, template: template, into: &spans)
        }
    }

    private static func readScopeSpans(
        _ outline: JSONOutline, at value: Range<Int>, template: OTLPSpan, into spans: inout [OTLPSpan]
    ) {
        var template = template
        guard let members = members(outline, at: value, head: "scope", list: "spans", template: &template) else {
            return spans.append(template)
        }
        read(members.head, in: outline, as: "scope", into: &template) { object, template throws(JSONScanError) in
            guard let scope = try scope(object) else { return notAList.message }
            template.scope = scope
            return nil
        }
        for part in elements(outline, of: members.lists, template: template, name: "spans", into: &spans) {
            var span = template
            if template.defect == nil {
                read(part, in: outline, as: "span", into: &span) { object, span throws(JSONScanError) in
                    span = try self.span(object, span)
                    return span.defect
                }
            }
            spans.append(span)
        }
    }

    /// The head and the lists of a message, by their names. A message in which one name stands twice is marked as
    /// defective, and its spans are found all the same, to be counted. Nil for what is not an object.
    private static func members(
        _ outline: JSONOutline, at value: Range<Int>, head: String, list: String, template: inout OTLPSpan
    ) -> (head: Range<Int>?, lists: [Range<Int>])? {
        guard let members = outline.members(of: value) else {
            template.defect = template.defect ?? "what holds \(list) must be a JSON object"
            return nil
        }
        let heads = members.filter { $0.name == head }.map(\.value)
        let lists = members.filter { $0.name == list }.map(\.value)
        if members.contains(where: { $0.name == nil }) || heads.count > 1 || lists.count > 1 {
            template.defect = template.defect ?? "what holds \(list) must be a JSON object whose names are distinct"
        }
        return (heads.first, lists)
    }

    /// The elements of lists. One that is none counts as one span that is wrong: more of it is not known.
    private static func elements(
        _ outline: JSONOutline, of lists: [Range<Int>], template: OTLPSpan, name: String,
        into spans: inout [OTLPSpan]
    ) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        for list in lists where !outline.isNull(list) {
            if let parts = outline.elements(of: list) {
                elements += parts
            } else {
                var span = template
                span.defect = template.defect ?? "\(name) must be a list"
                spans.append(span)
            }
        }
        return elements
    }

    /// Reads one object of the request into a span; what is wrong with it becomes the span's defect.
    /// - Parameters:
    ///   - value: nil for an object that is absent; the body is then not called.
    ///   - body: returns what is wrong.
    private static func read(
        _ value: Range<Int>?, in outline: JSONOutline, as name: String, into span: inout OTLPSpan,
        body: (JSONObject, inout OTLPSpan) throws(JSONScanError) -> String?
    ) {
        guard let value, span.defect == nil else { return }
        // A head may be null, as any message in JSON; an element of a list may not.
        if name != "span", outline.isNull(value) { return }
        do throws(JSONScanError) {
            let object = try JSONObject.scan(outline.bytes, range: value, maximumDepth: maximumDepth)
            span.defect = try body(object, &span)
        } catch {
            span.defect = "the \(name) cannot be read: malformed JSON at byte \(error.offset): \(error.code)"
        }
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

    /// Nil if the object has attributes that are not a list of objects.
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

    /// The objects in an array; what is not an array has none.
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
