internal import Upstream

/// The names and addresses of machines, as far as their spelling goes.
package enum HostName {
    /// Whether `host` is a DNS name, an IPv4 address or an IPv6 address. The latter has brackets in a URL and none
    /// elsewhere.
    static func isValid(_ host: some StringProtocol, bracketed: Bool = false) -> Bool {
        let bytes = Array(host.utf8)
        if bracketed, bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            return isIPv6(bytes.dropFirst().dropLast())
        }
        if !bracketed, bytes.contains(UInt8(ascii: ":")) { return isIPv6(bytes[...]) }
        // 253 is DNS's bound (RFC 1035 §2.3.4); the underscore stands in the names of Compose services.
        return (1...253).contains(bytes.count)
            && bytes.allSatisfy { $0.isASCIILetterOrDigit || "-._".utf8.contains($0) }
            && bytes.first != UInt8(ascii: "-") && bytes.first != UInt8(ascii: ".")
    }

    /// Splits `host` or `host:port`; nil if what follows the host is not a port from 1 to 65535.
    static func splitPort(_ authority: Substring) -> (host: String, port: Int?)? {
        let afterAddress = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[afterAddress...].firstIndex(of: ":") else { return (String(authority), nil) }
        let digits = authority[authority.utf8.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), (1...65535).contains(port)
        else { return nil }
        return (String(authority[..<colon]), port)
    }

    /// Whether a listener on `host` is reached from this machine alone: `localhost` and the names below it (RFC 6761
    /// §6.3), 127.0.0.0/8 and ::1, in any spelling of an IPv6 address, without brackets.
    package static func isLoopback(_ host: String) -> Bool {
        let name = host.utf8.map(\.asciiLowercased)
        if name.elementsEqual("localhost".utf8) || name.suffix(10).elementsEqual(".localhost".utf8) { return true }
        // A zone is left out of account there; no loopback address has one.
        guard !name.contains(UInt8(ascii: "%")) else { return false }
        return switch IPAddress(host) {
        case .v4(let address): address >> 24 == 127
        case .v6(high: 0, let low): low == 1 || low >> 24 == 0xFFFF7F
        default: false
        }
    }

    /// The alphabet and the least of the form; the system's own parser has the last word when the address is used.
    private static func isIPv6(_ bytes: ArraySlice<UInt8>) -> Bool {
        (2...45).contains(bytes.count) && bytes.count(where: { $0 == UInt8(ascii: ":") }) >= 2
            && bytes.allSatisfy { $0.isASCIIHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
    }
}

extension UInt8 {
    fileprivate var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
    fileprivate var isASCIIHexDigit: Bool { isASCIIDigit || (0x61...0x66).contains(asciiLowercased) }
    fileprivate var isASCIILetterOrDigit: Bool { isASCIIDigit || (0x61...0x7A).contains(asciiLowercased) }
}
