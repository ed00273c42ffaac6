/// A further header from which metadata is read, beside `X-TFY-METADATA`, if `METADATA_HEADERS` names it.
package enum MetadataHeader: String, Sendable, CaseIterable {
    /// Portkey's: a JSON object of strings.
    case portkey = "x-portkey-metadata"
    /// Cloudflare's: a JSON object of strings, numbers and booleans.
    case cloudflare = "cf-aig-metadata"
    /// Helicone's: one header a key.
    case helicone = "helicone-property-*"
    /// LiteLLM's: a list of tags.
    case litellm = "x-litellm-tags"
}

extension SettingRule<[MetadataHeader]> {
    static var metadataHeaders: Self {
        let names = MetadataHeader.allCases.map(\.rawValue)
        return Self(
            text: "names of headers with commas between them, of \(names.map { "`\($0)`" }.joined(separator: ", "))",
            example: names.joined(separator: ","),
            parse: { text in
                var headers: [MetadataHeader] = []
                for name in text.split(separator: ",", omittingEmptySubsequences: false) {
                    let trimmed = String(decoding: name.utf8.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
                    guard let header = MetadataHeader.named(trimmed.lowercased()), !headers.contains(header) else {
                        return nil
                    }
                    headers.append(header)
                }
                return headers
            },
            show: { $0.map(\.rawValue).joined(separator: ",") })
    }
}
