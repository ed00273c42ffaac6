/// The mark that a deployment's requests carry, so that it knows one which comes back: its pseudonym in `Via` (RFC 9110
/// §7.6.3).
///
/// Processes that share `GATEWAY_KEY` are one deployment and have one pseudonym. Two deployments in a row pass each
/// other's requests.
package struct LoopMark: Sendable {
    package static let header = "via"

    /// Tells the deployment and nothing of its key.
    package let pseudonym: String
    private let value: String

    package init(_ envelope: Envelope) {
        let fingerprint = envelope.fingerprint(of: [Array(Self.header.utf8)])
        pseudonym = "metadata-gateway-" + String(hexadecimal: fingerprint.prefix(8))
        value = "1.1 \(pseudonym)"
    }

    /// Whether a request with these values of `Via` has been here. Proxies on its way may have joined the values, and
    /// changed their case.
    package func isCarried(by values: some Sequence<String>) -> Bool {
        values.contains { value in
            value.utf8.split(whereSeparator: {
                $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")
            })
            .contains { String(Substring($0)).equalsIgnoringASCIICase(pseudonym) }
        }
    }

    /// The headers with the mark behind the marks of others.
    package func added(to headers: [HeaderField]) -> [HeaderField] {
        var marked = headers
        marked.removeAll { $0.name.equalsIgnoringASCIICase(Self.header) }
        guard marked.count < headers.count else { return headers + [HeaderField(Self.header, value)] }
        let others = headers.filter { $0.name.equalsIgnoringASCIICase(Self.header) }
        return marked + [HeaderField(Self.header, (others.map(\.value) + [value]).joined(separator: ", "))]
    }
}

extension GatewayError {
    /// RFC 5842 §7.2.
    package static let loopDetected = GatewayError(
        status: 508, type: "invalid_request_error", code: "loop_detected",
        message:
            "The request has been at this gateway before: a provider's, a proxy's or a client's base URL leads back here. Set it to the provider's own URL.",
        shouldRetry: false)
}
