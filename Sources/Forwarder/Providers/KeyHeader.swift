internal import Common

/// The header in which a provider takes its key.
enum KeyHeader: Sendable, Equatable {
    /// `Authorization: Bearer <key>` (RFC 6750 §2.1).
    case bearer
    /// A header of its own that holds the key alone, such as Azure's `api-key`.
    case named(String)

    func field(_ key: SecretString) -> HeaderField {
        switch self {
        case .bearer: HeaderField("authorization", "Bearer \(key.reveal())")
        case .named(let name): HeaderField(name, key.reveal())
        }
    }
}

extension SecretString {
    /// Whether the key can stand in a header: visible ASCII, so it can neither break a line nor be read as two values.
    var fitsHeader: Bool { !isEmpty && reveal().utf8.allSatisfy(HTTPSyntax.isVisible) }
}

extension GatewayError {
    /// A key that cannot stand in a header.
    static let unfitKey = GatewayError.invalidRequest(
        code: "malformed_api_key",
        "The key has characters that no HTTP header can carry. Send it without spaces, line breaks and quotes around "
            + "it.",
        param: "authorization")
}
