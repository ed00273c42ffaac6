internal import Common
internal import JSON

/// The body of an export on its way to rows. All of it is read and checked before anything is stored.
struct Export: Sendable {
    /// What is to be stored of an export, and what is not.
    struct Content: Sendable {
        var observations: [Observation] = []
        /// How many spans are wrong.
        var rejected = 0
        /// What is wrong with the first of them.
        var complaint: String?

        /// The answer, in OTLP/JSON (`ExportTraceServiceResponse`).
        var json: [UInt8] {
            guard let complaint else { return Array("{}".utf8) }
            var out = Array(#"{"partialSuccess":{"rejectedSpans":"\#(rejected)","errorMessage":"#.utf8)
            JSONText.append(complaint, to: &out)
            return out + "}}".utf8
        }
    }

    enum Form: Sendable {
        case json, protobuf

        /// Nil for a content type that is neither.
        init?(contentType: String?) {
            if contentType?.contains("application/json") ?? false {
                self = .json
            } else if contentType?.contains("application/x-protobuf") ?? false {
                self = .protobuf
            } else {
                return nil
            }
        }
    }

    let form: Form
    let isGzip: Bool
    /// The most bytes of it, decompressed.
    let limit: Int

    /// Bytes that reading the body needs besides it: what it becomes, decompressed.
    /// - Throws: 400 for what is no gzip, 413 for what is too large.
    func room(for body: [UInt8]) throws(LangfuseError) -> Int {
        guard isGzip else { return 0 }
        guard body.count >= 18, body.starts(with: [0x1F, 0x8B]) else { throw Self.badGzip }
        // RFC 1952 §2.3.1: the last four bytes say how much it becomes.
        let size = body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= limit else { throw .bodyTooLarge(limit) }
        return size
    }

    /// Reads an export. A bad span costs that span alone, as OTLP has it ("partial success").
    /// - Throws: 400 for what cannot be read and for an export without any good span, 413 for what is too large.
    func content(_ body: [UInt8]) throws(LangfuseError) -> Content {
        let bytes = try decompressed(body)
        let spans: [OTLPSpan]
        do throws(OTLPError) {
            spans = form == .json ? try OTLPJSON.spans(bytes) : try OTLPProtobuf.spans(bytes)
        } catch {
            throw .invalidRequest("Invalid OTLP export: \(error.message)")
        }
        var content = Content()
        for (index, span) in spans.enumerated() {
            guard let complaint = span.complaint else {
                content.observations.append(ObservationMapping.observation(span))
                continue
            }
            content.rejected += 1
            content.complaint = content.complaint ?? "Invalid span \(index + 1) of \(spans.count): \(complaint)"
        }
        if content.observations.isEmpty, let complaint = content.complaint { throw .invalidRequest(complaint) }
        return content
    }

    private func decompressed(_ body: [UInt8]) throws(LangfuseError) -> [UInt8] {
        guard isGzip else { return body }
        // What becomes more than it says is not believed.
        let size = try room(for: body)
        do throws(Gunzip.Failure) { return try Gunzip.decompress(body, limit: size) } catch { throw Self.badGzip }
    }

    private static let badGzip = LangfuseError.invalidRequest("The export is not valid gzip")
}
