internal import Text

/// A content coding that can be undone (RFC 9110 §8.4.1, RFC 8878, RFC 7932).
package enum ContentCoding: String, Sendable, CaseIterable {
    case gzip, deflate
    case brotli = "br"
    case zstd

    /// - Parameter name: a token of `Content-Encoding`, in any case.
    package init?(name: String) {
        // RFC 9110 §8.4.1.3: the same as `gzip`.
        let name = name.equalsIgnoringASCIICase("x-gzip") ? Self.gzip.rawValue : name
        guard let coding = Self.allCases.first(where: { $0.rawValue.equalsIgnoringASCIICase(name) }) else { return nil }
        self = coding
    }

    /// Whether this system has what undoes the coding.
    package var isAvailable: Bool {
        switch self {
        case .gzip, .deflate: true
        case .brotli: BrotliDecoder.isAvailable
        case .zstd: ZstdDecoder.isAvailable
        }
    }

    /// The names in the values of a message's `Content-Encoding`, in the order in which the codings were applied.
    /// `identity` is none.
    package static func names(in values: [String]) -> [String] {
        values.flatMap { value in
            value.utf8.split(separator: UInt8(ascii: ",")).map { token in
                String(decoding: token.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
            }
        }.filter { !$0.isEmpty && !$0.equalsIgnoringASCIICase("identity") }
    }
}
