internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Hummingbird

extension Request {
    private static let longestKey = 255

    /// Whether the client sent an `Idempotency-Key`, be it a good one or not.
    var hasIdempotencyKey: Bool { headers.contains(.idempotencyKey) }

    /// The client's `Idempotency-Key`; nil if it sent none.
    func idempotencyKey() throws -> String? {
        let keys = headers[values: .idempotencyKey]
        guard let key = keys.first else { return nil }
        guard keys.count == 1, (1...Self.longestKey).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw GatewayError.invalidRequest(
                code: "invalid_idempotency_key",
                "Idempotency-Key is not one text of 1 to \(Self.longestKey) printable ASCII characters without spaces. A UUID does well.",
                param: "idempotency-key")
        }
        return key
    }
}

extension HTTPField.Name {
    fileprivate static let idempotencyKey = HTTPField.Name(constant: "Idempotency-Key")
}
