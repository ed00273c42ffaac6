internal import Common

/// The client's headers that go on to a provider. All others stay here, among them the client's own authorization,
/// cookies, `traceparent`, `x-forwarded-*`, and headers that describe the connection.
enum ForwardedHeaders {
    private static let always = [
        "accept", "anthropic-beta", "anthropic-version", "content-type", "idempotency-key", "openai-beta",
        // The marks of who has passed the request on (RFC 9110 §7.6.3).
        LoopMark.header,
    ]
    /// Headers that choose whose budget pays. They go with the client's own key only.
    private static let withClientKey = ["openai-organization", "openai-project"]

    /// Whether a header is only for the provider that the client's key is for.
    static func isClients(_ name: String) -> Bool { known(name, among: withClientKey) != nil }

    /// Whether a request to a provider has a header from here, and not from its key or from a rule.
    static func isForwarded(_ name: String) -> Bool {
        known(name, among: always) != nil || isClients(name) || name.equalsIgnoringASCIICase(userAgent.name)
    }

    static let userAgent = HeaderField("user-agent", "metadata-gateway")

    /// The headers of one call but for its key.
    /// - Parameter isJSON: whether the body is a JSON object; it is then labelled so, even against the client's label.
    static func select(from headers: [HeaderField], usesServerKey: Bool, isJSON: Bool) -> [HeaderField] {
        var selected: [HeaderField] = []
        selected.reserveCapacity(headers.count + 2)
        selected.append(userAgent)
        for header in headers {
            let name =
                known(header.name, among: always)
                ?? (usesServerKey ? nil : known(header.name, among: withClientKey))
            if let name, isSafe(header.value) { selected.append(HeaderField(name, header.value)) }
        }
        // curl labels every body as a form, and a chat completion's body needs no label here. A provider may insist on
        // one, and might take the wrong one of two.
        var (label, labels): (HeaderField?, Int) = (nil, 0)
        for header in selected where header.name == contentType { (label, labels) = (label ?? header, labels + 1) }
        let isLabelled = labels == 1 && (!isJSON || label.map { isJSONType($0.value) } ?? false)
        guard !isLabelled, let right = isJSON ? HeaderField(contentType, "application/json") : label else {
            return selected
        }
        selected.removeAll { $0.name == contentType }
        return selected + [right]
    }

    private static let contentType = "content-type"

    /// The name in lower case, if it is one of these.
    private static func known(_ name: String, among names: [String]) -> String? {
        for known in names where known.equalsIgnoringASCIICase(name) { return known }
        return nil
    }

    /// Whether the media type itself is JSON, with any parameters.
    private static func isJSONType(_ value: String) -> Bool {
        if value.equalsIgnoringASCIICase("application/json") { return true }
        let bytes = value.utf8.prefix { $0 != UInt8(ascii: ";") }.filter {
            $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t")
        }
        let type = String(decoding: bytes, as: UTF8.self).lowercased()
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// Whether the value stays on its line (RFC 9110 §5.5).
    private static func isSafe(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 == 0x09 || (0x20...0x7E).contains($0) }
    }
}
