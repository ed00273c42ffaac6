/// The origins of pages (RFC 6454) that may call the gateway from a browser (`ALLOWED_ORIGINS`).
package struct AllowedOrigins: Sendable, Hashable, CustomStringConvertible {
    package static let none = AllowedOrigins()

    private var isAny = false
    /// In their normal form.
    private var origins: Set<UTF8Text> = []

    private init() {}

    /// Reads origins with commas between them, or `*` for any. Nil if one is none.
    package init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let origin = String(part.filter { $0 != " " })
            guard origin != "*" else {
                isAny = true
                continue
            }
            guard let normal = Self.normal(origin) else { return nil }
            origins.insert(normal)
        }
    }

    /// Whether pages of an origin may call.
    /// - Parameters:
    ///   - origin: the header `Origin`; `null` and what is none are let in with `*` alone.
    ///   - isLocal: whether those of this machine may too.
    package func allows(_ origin: String, orLoopback isLocal: Bool) -> Bool {
        if isAny { return true }
        guard let normal = Self.normal(origin) else { return false }
        return origins.contains(normal) || (isLocal && Self.isLoopback(origin))
    }

    package var description: String { isAny ? "*" : origins.map(\.text).sorted().joined(separator: ",") }

    private static func isLoopback(_ origin: String) -> Bool {
        BaseURL(origin).map {
            HostName.isLoopback(String(decoding: $0.host.utf8.filter { !"[]".utf8.contains($0) }, as: UTF8.self))
        } ?? false
    }

    /// An origin of the web with its port, or another one, such as an extension's, in lower case. Nil for what is none.
    private static func normal(_ origin: String) -> UTF8Text? {
        if let url = BaseURL(origin) { return url.path.isEmpty ? UTF8Text(url.origin) : nil }
        let bytes = origin.utf8
        guard let scheme = bytes.firstRange(of: "://".utf8), scheme.lowerBound > bytes.startIndex,
            scheme.upperBound < bytes.endIndex, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !bytes[scheme.upperBound...].contains(where: { "/\\?#@\",".utf8.contains($0) }),
            !["http", "https"].contains(String(Substring(bytes[..<scheme.lowerBound])).lowercased())
        else { return nil }
        return UTF8Text(String(decoding: bytes.map(\.asciiLowercased), as: UTF8.self))
    }
}

extension SettingRule<AllowedOrigins> {
    static var allowedOrigins: Self {
        Self(
            text: "origins with commas between them, each a scheme and a host, perhaps a port, or `*` for any",
            example: "https://app.example,http://localhost:3000", parse: { AllowedOrigins($0) },
            show: { $0.description })
    }
}
