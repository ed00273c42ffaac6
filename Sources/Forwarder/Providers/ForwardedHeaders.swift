internal import Common

/// The client's headers that go on to a provider. All others stay here: among them the client's own authorization, cookies, `traceparent`,
/// `x-forwarded-*`, and what describes the connection.
enum ForwardedHeaders {
    private static let always: Set<UTF8Text> = [
        "accept", "anthropic-beta", "anthropic-version", "content-type", "idempotency-key", "openai-beta",
        // The marks of who has passed the request on (RFC 9110 §7.6.3).
        UTF8Text(LoopMark.header),
    ]
    /// They choose whose budget pays, so they go with the client's own key only.
    private static let withClientKey: Set<UTF8Text> = ["openai-organization", "openai-project"]
    /// Whether a header is for the provider alone that the client's key is for.
    static func isClients(_ name: String) -> Bool { withClientKey.contains(name.lowercased()) }

    static let userAgent = HeaderField("user-agent", "metadata-gateway")

    /// The headers of one call but for its key.
    /// - Parameter isJSON: Whether the body is a JSON object; it is then labelled so, whatever the client says.
    static func select(from headers: [HeaderField], usesServerKey: Bool, isJSON: Bool) -> [HeaderField] {
        var selected = [userAgent]
        for header in headers {
            let name = header.name.lowercased()
            guard always.contains(name) || (!usesServerKey && withClientKey.contains(name)), isSafe(header.value) else { continue }
            selected.append(HeaderField(name, header.value))
        }
        // curl labels every body as a form, and a chat completion's body need not be labelled here; a provider may insist. Of two labels it might take the other.
        let labels = selected.filter { $0.name == "content-type" }
        let isLabelled = labels.count == 1 && (!isJSON || isJSONType(labels[0].value))
        if !isLabelled, isJSON || !labels.isEmpty {
            selected.removeAll { $0.name == "content-type" }
            selected.append(isJSON ? HeaderField("content-type", "application/json") : labels[0])
        }
        return selected
    }

    /// Whether the media type itself is JSON, whatever its parameters say.
    private static func isJSONType(_ value: String) -> Bool {
        let bytes = value.utf8.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        let type = String(decoding: bytes, as: UTF8.self).lowercased()
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// Whether the value stays on its line (RFC 9110 §5.5).
    private static func isSafe(_ value: String) -> Bool { value.utf8.allSatisfy { $0 == 0x09 || (0x20...0x7E).contains($0) } }
}
