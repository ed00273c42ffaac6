package import NIOHTTP1

extension HTTPRequestHead {
    /// Whether the request has one `Host` that cannot be taken for a path; HTTP/1.0 may have none (RFC 9112 §3.2).
    package var hasGoodHost: Bool {
        let hosts = headers["Host"]
        guard hosts.count <= 1 else { return false }
        guard let host = hosts.first else { return version == .http1_0 }
        return host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"): false
            default: (0x21...0x7E).contains(byte)
            }
        }
    }

    /// The host of a target in absolute form, `http://host:port/path`; nil for one in another form.
    var targetAuthority: String? {
        let target = uri.utf8
        guard target.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://".utf8) else { return nil }
        return String(decoding: target[scheme.upperBound...].prefix { !"/\\?#".utf8.contains($0) }, as: UTF8.self)
    }
}
