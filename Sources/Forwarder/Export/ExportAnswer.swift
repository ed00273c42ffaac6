internal import Common
internal import JSON
internal import Upstream

/// The meaning of the body of a successful answer to an export (OTLP's `ExportTraceServiceResponse`, in JSON or
/// protobuf). A proxy, a login page or a server at a wrong address answers with success too. A body that is not known
/// to be OTLP's answer does not count as one.
enum ExportAnswer: Equatable {
    /// The spans were taken. The remark is for the operator.
    case taken(remark: String?)
    /// The number of rejected spans, as the answer writes it.
    case rejected(String)
    /// The answer is not OTLP's; the text says what it is.
    case foreign(String)

    /// Members, in lower case, with which servers speak of an error.
    private static let errors: Set<UTF8Text> = ["error", "errors", "message", "detail", "exception", "fault"]

    /// - Parameter body: the beginning of the answer's body, at least ``ExportOutcome/mostBytes`` if there are as many.
    init(_ head: UpstreamHead, _ body: [UInt8]) {
        let type = head.headers.first(named: "content-type")?.lowercased() ?? ""
        let isBinary = type.utf8.contains("protobuf".utf8) || type.utf8.contains("octet-stream".utf8)
        // Before the rest: the first byte of such a body is a line break as text.
        if isBinary, let answer = Self.protobuf(body) {
            self = answer
            return
        }
        // RFC 8259 §8.1 lets a reader ignore a byte order mark.
        let text = body.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(body.dropFirst(3)) : body
        let first = text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if type.utf8.contains("html".utf8) || first == UInt8(ascii: "<") {
            self = .foreign("a web page")
        } else if first == nil {
            self = .taken(remark: nil)
        } else if first == UInt8(ascii: "{") {
            self = Self.json(text)
        } else {
            self = .foreign("what is no JSON object")
        }
    }

    private static func json(_ text: [UInt8]) -> ExportAnswer {
        guard let answer = try? JSONObject.scan(text, maximumDepth: 64) else {
            // Only its beginning was read; it is an object at least.
            if text.count >= ExportOutcome.mostBytes { return .taken(remark: "the answer is long") }
            return .foreign("JSON that cannot be read")
        }
        var remark: String?
        for member in answer.members where member.kind != .null {
            let name = answer.name(of: member) ?? ""
            guard name == "partialSuccess" || name == "partial_success" else {
                if speaksOfError(answer, member, name) { return .foreign("JSON with the member \(name.excerpt)") }
                remark = remark ?? "the answer has the member \(name.excerpt), which OTLP does not know"
                continue
            }
            guard let success = try? answer.object(member) else { return .foreign("JSON whose \(name) cannot be read") }
            switch partial(success) {
            case .taken(let text): remark = text ?? remark
            case let other: return other
            }
        }
        return .taken(remark: remark)
    }

    private static func speaksOfError(_ answer: JSONObject, _ member: JSONObject.Member, _ name: String) -> Bool {
        let name = name.lowercased()
        if name == "success" { return member.kind == .false }
        // `"error":false` and `"errors":[]` say that there is none.
        let isEmpty = member.kind == .false || answer.elements(member)?.isEmpty ?? false
        return errors.contains(UTF8Text(name)) && !isEmpty
    }

    /// - Parameter success: `ExportTracePartialSuccess`.
    private static func partial(_ success: JSONObject) -> ExportAnswer {
        var remark: String?
        for member in success.members where member.kind != .null {
            switch success.name(of: member) ?? "" {
            case "rejectedSpans", "rejected_spans":
                let written = success.bytes[member.value]
                let text = member.kind == .number ? String(decoding: written, as: UTF8.self) : success.string(member)
                guard let text, let count = Double(text), !count.isNaN else {
                    return .foreign("a count of rejected spans that is no number")
                }
                if count > 0 { return .rejected(Int(exactly: count).map(String.init) ?? text.excerpt) }
            case "errorMessage", "error_message":
                if let text = success.string(member), !text.isEmpty { remark = text.excerpt }
            default: continue
            }
        }
        return .taken(remark: remark)
    }

    /// The answer in protobuf; nil for a body that is no protobuf.
    private static func protobuf(_ body: [UInt8]) -> ExportAnswer? {
        var remark: String?
        guard let answer = fields(body[...]) else { return nil }
        for (number, value) in answer where number == 1 {
            guard case .bytes(let inside) = value, let success = fields(inside) else { return nil }
            for (number, value) in success {
                switch (number, value) {
                case (1, .number(let count)):
                    if Int64(bitPattern: count) > 0 { return .rejected(String(count)) }
                case (2, .bytes(let text)):
                    if !text.isEmpty { remark = String(decoding: text, as: UTF8.self).excerpt }
                default: continue
                }
            }
        }
        return .taken(remark: remark)
    }

    private enum Field {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    /// The fields of a protobuf message (https://protobuf.dev/programming-guides/encoding/); nil for bytes that are
    /// none.
    private static func fields(_ message: ArraySlice<UInt8>) -> [(number: UInt64, value: Field)]? {
        var rest = message
        var fields: [(number: UInt64, value: Field)] = []
        while !rest.isEmpty {
            guard let tag = varint(&rest), tag >> 3 > 0 else { return nil }
            let length: UInt64
            switch tag & 7 {
            case 0:
                guard let value = varint(&rest) else { return nil }
                fields.append((tag >> 3, .number(value)))
                continue
            case 1: length = 8
            case 2:
                guard let given = varint(&rest) else { return nil }
                length = given
            case 5: length = 4
            default: return nil
            }
            guard length <= UInt64(rest.count) else { return nil }
            fields.append((tag >> 3, .bytes(rest.prefix(Int(length)))))
            rest = rest.dropFirst(Int(length))
        }
        return fields
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
