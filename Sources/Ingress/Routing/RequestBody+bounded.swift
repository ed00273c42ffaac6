internal import Common
internal import HTTPTypes
internal import Hummingbird

extension Request {
    /// Memory that a request gets for a body that it only announces.
    private static let trusted = 1 << 20

    /// Reads the whole body, as far as it is allowed.
    /// - Parameters:
    ///   - limit: the most bytes.
    ///   - room: where a large body must find room; nil where `limit` allows none.
    ///   - error: what is said of a body beyond the limit.
    func bytes(
        upTo limit: Int, in room: UploadRoom? = nil, orThrow error: (_ limit: Int) -> GatewayError = GatewayError.bodyTooLarge
    ) async throws -> [UInt8] {
        // A number beyond any Int is larger too.
        if let length = headers[.contentLength], Int(length) ?? .max > limit { throw error(limit) }
        var bytes: [UInt8] = []
        // As much as is announced, but not more than a little on a promise alone.
        bytes.reserveCapacity(min(headers[.contentLength].flatMap { Int($0) } ?? 0, Self.trusted))
        var taken = 0
        defer { room?.leave(taken) }
        for try await piece in body {
            let count = bytes.count + piece.readableBytes
            guard count <= limit else { throw error(limit) }
            if let room, count > UploadRoom.free {
                guard room.take(count - taken) else { throw GatewayError.uploadsFull }
                taken = count
            }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }
}

extension GatewayError {
    static func bodyTooLarge(limit: Int) -> GatewayError {
        .invalidRequest(
            413, code: "body_too_large",
            "The body is larger than \(limit) bytes. Send less, or let the operator raise MAX_BODY_BYTES.")
    }

    fileprivate static let uploadsFull = GatewayError(
        status: 429, type: "rate_limit_error", code: "uploads_full",
        message: "Too many large bodies are being sent at once (UPLOAD_BYTES). Try again later; nothing was recorded.", retryAfter: 1)
}
