internal import Common
internal import HTTPTypes
internal import Hummingbird

extension Request {
    /// Memory that a request gets for a body that it only announces.
    private static let trusted = 1 << 20

    /// Reads the whole body, as far as it is allowed.
    /// - Parameters:
    ///   - limit: the most bytes (`MAX_BODY_BYTES`).
    ///   - error: what is said of a larger one.
    func bytes(upTo limit: Int, orThrow error: (_ limit: Int) -> GatewayError = GatewayError.bodyTooLarge) async throws -> [UInt8] {
        // A number beyond any Int is larger too.
        if let length = headers[.contentLength], Int(length) ?? .max > limit { throw error(limit) }
        var bytes: [UInt8] = []
        // As much as is announced, but not more than a little on a promise alone.
        bytes.reserveCapacity(min(headers[.contentLength].flatMap { Int($0) } ?? 0, Self.trusted))
        for try await piece in body {
            guard bytes.count + piece.readableBytes <= limit else { throw error(limit) }
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
}
