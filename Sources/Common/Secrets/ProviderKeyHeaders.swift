/// The headers beside `Authorization` in which clients of Anthropic, Azure, Google and others send a provider's key.
/// Add the key header of each provider that joins the table of providers.
package enum ProviderKeyHeaders {
    /// In lower case.
    package static let names = [
        "x-api-key", "api-key", "x-goog-api-key", "api-subscription-key", "ocp-apim-subscription-key",
        "x-litellm-api-key",
    ]

    /// Whether a header of that name carries a key.
    package static func contains(_ name: String) -> Bool { names.contains { $0.equalsIgnoringASCIICase(name) } }
}
