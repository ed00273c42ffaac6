internal import Compression

/// Reads a request's body: undoes its codings, within bounds.
struct CompressedBody: Sendable {
    /// The codings of the body, in the order in which they were applied.
    let codings: [ContentCoding]
    /// The most bytes of the body, decompressed.
    let limit: Int

    init(codings: [ContentCoding] = [], limit: Int) { (self.codings, self.limit) = (codings, limit) }

    /// - Parameter labels: the values of the header `Content-Encoding`.
    /// - Throws: 415 for a coding that is not undone here, 400 for too many of them.
    init(labels: [String], limit: Int) throws(LangfuseError) {
        self.limit = limit
        do throws(RequestCodings.Refusal) {
            codings = try RequestCodings.named(in: labels)
        } catch {
            throw switch error {
            case .unsupported: .unsupportedEncoding(taken: RequestCodings.taken.map(\.rawValue))
            case .tooMany: .invalidRequest("Content-Encoding names more than \(BodyDecoder.mostCodings) codings")
            }
        }
    }

    /// The body with its codings undone.
    /// - Parameter share: holds the decompressed body.
    /// - Throws: 400 for a body that is not in its coding, 413 for one that is too large, 429 if there is no room for
    ///   it.
    func decompressed(_ body: [UInt8], in share: ExportBudget.Share) throws(LangfuseError) -> [UInt8] {
        guard !codings.isEmpty, !body.isEmpty else { return body }
        do throws(BodyDecoder.Failure) {
            return try BodyDecoder(codings, limit: limit).decode(body, reserve: share.reserve)
        } catch {
            throw switch error {
            case .tooLarge: .bodyTooLarge(limit)
            case .noRoom: .busy
            case .unreadable(let flaw): .invalidRequest("The body's Content-Encoding: \(flaw)")
            }
        }
    }
}
