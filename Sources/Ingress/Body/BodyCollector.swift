internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Reads the bodies of requests that become jobs, within the operator's bounds.
struct BodyReader: Sendable {
    /// The most bytes of one body (`MAX_BODY_BYTES`).
    private let limit: Int
    let uploads: UploadBudget

    init(_ settings: HTTPSettings) {
        limit = settings.maxBodyBytes
        uploads = UploadBudget(limit: settings.uploadBytes)
    }

    /// A request's whole body, its codings undone.
    func body(of request: Request) async throws -> [UInt8] { try await request.bytes(upTo: limit, in: uploads) }

    /// The collector for a body that arrives in pieces.
    func collector(for headers: HTTPFields) throws(GatewayError) -> BodyCollector {
        try BodyCollector(for: headers, upTo: limit, in: uploads)
    }
}

/// Collects a request's body, as far as it is allowed.
final class BodyCollector {
    /// Memory that a request gets for a body that it only announces.
    private static let trusted = 1 << 20

    private let limit: Int
    private let budget: UploadBudget?
    /// The error for a body beyond the limit.
    private let excess: (_ limit: Int) -> GatewayError
    private var bytes: [UInt8] = []
    /// The bytes of the budget that the body has taken.
    private var taken = 0

    /// - Parameters:
    ///   - headers: the request's.
    ///   - limit: the most bytes.
    ///   - budget: the memory of which a large body takes its part; nil where `limit` allows no large body.
    ///   - error: the error for a body beyond the limit.
    /// - Throws: `error`, if the request announces such a body.
    init(
        for headers: HTTPFields, upTo limit: Int, in budget: UploadBudget?,
        orThrow error: @escaping (_ limit: Int) -> GatewayError = GatewayError.bodyTooLarge
    ) throws(GatewayError) {
        self.limit = limit
        self.budget = budget
        excess = error
        guard let announced = headers[.contentLength] else { return }
        // A number beyond any Int is larger too.
        let length = Int(announced) ?? .max
        if length > limit { throw error(limit) }
        // As much as is announced, but not more than a little on a promise alone.
        bytes.reserveCapacity(min(length, Self.trusted))
    }

    deinit { budget?.leave(taken) }

    /// - Throws: 413 for a body beyond the limit, 429 if the budget has no room for a large body.
    func take(_ piece: ByteBuffer) throws(GatewayError) {
        let count = bytes.count + piece.readableBytes
        guard count <= limit else { throw excess(limit) }
        if let budget, count > UploadBudget.free {
            guard budget.take(count - taken) else { throw .uploadsFull }
            taken = count
        }
        bytes.append(contentsOf: piece.readableBytesView)
    }

    /// Returns the whole body, and gives back what it took of the budget.
    func finish() -> [UInt8] {
        budget?.leave(taken)
        taken = 0
        defer { bytes = [] }
        return bytes
    }
}

extension GatewayError {
    static func bodyTooLarge(limit: Int) -> GatewayError {
        .invalidRequest(
            413, code: "body_too_large",
            "The body is larger than \(limit) bytes. Send less, or let the operator raise MAX_BODY_BYTES.")
    }

    static let uploadsFull = GatewayError(
        status: 429, type: "rate_limit_error", code: "uploads_full",
        message: "Too many large bodies are being sent at once (UPLOAD_BYTES). Try again later; nothing was recorded.",
        retryAfter: 1)
}
