internal import Common
internal import Compression
internal import HTTPTypes
internal import NIOPosix

/// The codings of a request's body (`Content-Encoding`).
struct BodyCodings {
    /// In the order in which they were applied.
    private let codings: [ContentCoding]

    var isEmpty: Bool { codings.isEmpty }

    /// - Throws: 415 for a coding that is not taken, 400 for too many.
    init(_ headers: HTTPFields) throws(GatewayError) {
        guard headers[.contentEncoding] != nil else {
            codings = []
            return
        }
        do throws(RequestCodings.Refusal) {
            codings = try RequestCodings.named(in: headers[values: .contentEncoding])
        } catch {
            throw switch error {
            case .unsupported(let name): .unsupportedEncoding(name, taken: RequestCodings.taken.map(\.rawValue))
            case .tooMany(let count): .tooManyEncodings(count)
            }
        }
    }

    /// Undoes the codings, apart from the event loops: a small body may become a large one.
    /// - Throws: 400 for a body that is not in its codings, 413 for what is beyond the limit, 429 if a large one finds
    ///   no room.
    func undone(
        of body: [UInt8], upTo limit: Int, in budget: UploadBudget?, orThrow excess: (_ limit: Int) -> GatewayError
    ) async throws -> [UInt8] {
        let decoder = BodyDecoder(codings, limit: limit)
        let result = try await NIOThreadPool.singleton.runIfActive { () -> Result<[UInt8], BodyDecoder.Failure> in
            let share = UploadShare(of: budget)
            defer { share.leave() }
            guard share.grow(by: body.count) else { return .failure(.noRoom) }
            return Result { () throws(BodyDecoder.Failure) in try decoder.decode(body, reserve: share.grow) }
        }
        switch result {
        case .success(let bytes): return bytes
        case .failure(.tooLarge):
            var error = excess(limit)
            error.message += " What counts is its size decompressed."
            throw error
        case .failure(.noRoom): throw GatewayError.uploadsFull
        case .failure(.unreadable(let flaw)): throw GatewayError.unreadable(flaw)
        }
    }
}

/// The room of one body that is decompressed.
private final class UploadShare {
    private let budget: UploadBudget?
    private var bytes = 0
    private var taken = 0

    init(of budget: UploadBudget?) { self.budget = budget }

    /// - Returns: whether there is room.
    func grow(by count: Int) -> Bool {
        bytes += count
        guard let budget, bytes > UploadBudget.free else { return true }
        guard budget.take(bytes - taken) else { return false }
        taken = bytes
        return true
    }

    func leave() {
        budget?.leave(taken)
        taken = 0
    }
}

extension GatewayError {
    fileprivate static func unsupportedEncoding(_ name: String, taken: [String]) -> GatewayError {
        let shown = HeaderText.escaped(HeaderText.cut(name))
        var error = GatewayError.invalidRequest(
            415, code: "unsupported_encoding",
            "The gateway reads no body in the coding `\(shown)`. Send it without Content-Encoding, or in one of: "
                + "\(taken.joined(separator: ", ")).",
            param: "content-encoding")
        error.headers.append(HeaderField("accept-encoding", taken.joined(separator: ", ")))
        return error
    }

    fileprivate static func tooManyEncodings(_ count: Int) -> GatewayError {
        .invalidRequest(
            code: "invalid_encoding",
            "Content-Encoding names \(count) codings, and a body may have \(BodyDecoder.mostCodings). Send it in one.",
            param: "content-encoding")
    }

    fileprivate static func unreadable(_ flaw: BodyDecoder.Flaw) -> GatewayError {
        .invalidRequest(
            code: "invalid_encoding",
            "The body is not what its Content-Encoding says: \(flaw). Compress it again, or send it as it is without "
                + "Content-Encoding.",
            param: "content-encoding")
    }
}
