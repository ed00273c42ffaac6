internal import Common
internal import JSON

/// The body of an export on its way to rows. All of it is read and checked before anything is stored.
struct Export: Sendable {
    /// The spans of an export that are to be stored, and the number of those that are not.
    struct Content: Sendable {
        var observations: [Observation] = []
        /// The number of spans that are wrong.
        var rejected = 0
        /// The fault of the first of them.
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
    let body: CompressedBody

    /// Reads an export. A bad span costs that span alone, as OTLP has it ("partial success").
    /// - Parameter share: holds the decompressed body.
    /// - Throws: 400 for an export that cannot be read or has no good span; 413 for one that is too large; 429 if there
    ///   is no room for it.
    func content(_ bytes: [UInt8], in share: ExportBudget.Share) throws(LangfuseError) -> Content {
        let bytes = try body.decompressed(bytes, in: share)
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
}
