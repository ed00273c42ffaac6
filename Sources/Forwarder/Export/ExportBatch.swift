internal import Common
internal import JSON
internal import Queue
internal import Upstream

/// Spans of one project that are sent together.
struct ExportBatch: Sendable {
    /// The largest body before compression.
    static let maximumBytes = SpanLimits.batch
    static let maximumCount = 512

    private static let prefix = Array(
        """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"metadata-gateway"}},\
        {"key":"service.version","value":{"stringValue":"\(GatewayVersion.current)"}}]},"scopeSpans":[{"scope":{"name":"metadata-gateway",\
        "version":"\(GatewayVersion.current)"},"spans":[
        """.utf8)
    private static let suffix = Array("]}]}]}".utf8)

    var entries: [SpanOutbox.Entry] = []
    var spans: [OutboxSpan] = []

    var count: Int { entries.count }

    /// The body as OTLP's JSON (an `ExportTraceServiceRequest`).
    var body: [UInt8] {
        var body = Self.prefix
        body.reserveCapacity(Self.prefix.count + Self.suffix.count + 2 * entries.reduce(0) { $0 + $1.size })
        for (index, span) in spans.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            span.appendOTLP(to: &body)
        }
        body.append(contentsOf: Self.suffix)
        return body
    }

    /// The spans for a trace store in this process; nil if version 0.1.0 wrote one of them.
    var records: [SpanRecord]? {
        let records = spans.compactMap(\.record)
        return records.count == spans.count ? records : nil
    }

    /// The two halves of a batch that is too large, or was refused as a whole. They help to find the fault in it.
    var halves: (ExportBatch, ExportBatch) {
        let middle = count / 2
        return (
            ExportBatch(entries: Array(entries[..<middle]), spans: Array(spans[..<middle])),
            ExportBatch(entries: Array(entries[middle...]), spans: Array(spans[middle...]))
        )
    }

    /// The number of entries, from the first on, that fit into one batch: at least one, however large it is. Written as
    /// OTLP, they may be too large together all the same.
    static func fitting(_ entries: some Collection<SpanOutbox.Entry>) -> Int {
        var (count, bytes) = (0, prefix.count + suffix.count)
        for entry in entries {
            bytes += entry.size + 1
            guard count == 0 || (count < maximumCount && bytes <= maximumBytes) else { break }
            count += 1
        }
        return count
    }
}

/// A span as it lay in the outbox.
enum OutboxSpan: Sendable {
    case record(SpanRecord)
    /// One OTLP/JSON object. Version 0.1.0 wrote all spans so, and they are still written so where its exporters may
    /// run.
    case json([UInt8])

    /// - Parameter bytes: the span as it was before it was sealed.
    /// - Throws: `WireError` for bytes that are neither.
    init(_ bytes: [UInt8]) throws(WireError) {
        self = bytes.first == UInt8(ascii: "{") ? .json(bytes) : .record(try SpanRecord(bytes))
    }

    var record: SpanRecord? { if case .record(let record) = self { record } else { nil } }

    func appendOTLP(to body: inout [UInt8]) {
        switch self {
        case .record(let record): record.appendOTLP(to: &body)
        case .json(let bytes): body.append(contentsOf: bytes)
        }
    }
}

/// The meaning of a trace store's answer to a batch. Langfuse's ingestion over OTLP accepts or refuses a batch as a
/// whole. After a 4xx a batch must not be sent again unchanged; after 408, 429 and 5xx it may be.
enum ExportOutcome: Sendable, Equatable {
    case accepted
    /// Something in the batch is wrong, or the place takes nothing at all. Other spans show which, if they are taken.
    case malformed(String)
    /// The keys or the place are wrong, not the spans. Nothing is taken there until the operator has corrected them.
    case refused(String)
    /// The batch may be accepted later.
    case later(String, after: Duration?)

    /// The longest `Retry-After` that is believed.
    static let longestWait = Duration.seconds(300)

    /// The most bytes of an answer that are looked at.
    static let mostBytes = 64 << 10

    /// - Parameter body: the beginning of the answer's body, at least ``mostBytes`` if there are as many.
    init(_ head: UpstreamHead, _ body: [UInt8]) {
        self.init(status: head.status, retryAfter: Self.seconds(head))
        guard self == .accepted else { return }
        switch ExportAnswer(head, body) {
        case .taken: return
        case .rejected(let count): self = .malformed("it answered \(head.status) and rejected \(count) of the spans")
        case .foreign(let what): self = .refused("it answered \(head.status) with \(what)")
        }
    }

    init(_ answer: SpanStoreResponse) { self.init(status: answer.status, retryAfter: answer.retryAfter) }

    private init(status: Int, retryAfter: Int?) {
        switch status {
        case 200..<300: self = .accepted
        case 400, 413, 422: self = .malformed("it answered \(status)")
        case 408, 425, 429, 500...:
            self = .later("it answered \(status)", after: retryAfter.map { min(.seconds($0), Self.longestWait) })
        default: self = .refused("it answered \(status)")
        }
    }

    init(_ error: UpstreamError) { self = .later(error.description, after: nil) }

    /// The seconds of `Retry-After`. A date, which RFC 9110 §10.2.3 allows, is not read: neither Langfuse nor the
    /// proxies before it send one.
    private static func seconds(_ head: UpstreamHead) -> Int? {
        head.headers.first(named: "retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}

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
            self = .foreign("what is not a JSON object")
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
                if isError(member, named: name, of: answer) { return .foreign("JSON with the member \(name.excerpt)") }
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

    /// Whether a member of an answer says that there was an error.
    private static func isError(_ member: JSONObject.Member, named name: String, of answer: JSONObject) -> Bool {
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
                    return .foreign("a count of rejected spans that is not a number")
                }
                if count > 0 { return .rejected(Int(exactly: count).map(String.init) ?? text.excerpt) }
            case "errorMessage", "error_message":
                if let text = success.string(member), !text.isEmpty { remark = text.excerpt }
            default: continue
            }
        }
        return .taken(remark: remark)
    }

    /// The answer in protobuf; nil for a body that is not protobuf.
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
