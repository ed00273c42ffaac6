package import Glibc

/// An IPv4 or IPv6 address as a number.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// The address that a socket would connect to. Nil for other families than IPv4 and IPv6.
    ///
    /// Read by offset (`sockaddr_in`: 4, `sockaddr_in6`: 8), since which C module these structures belong to differs
    /// between builds.
    package init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        let raw = UnsafeRawPointer(address)
        switch Int32(raw.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET: self.init(four: UnsafeRawBufferPointer(start: raw + 4, count: 4))
        case AF_INET6: self.init(six: UnsafeRawBufferPointer(start: raw + 8, count: 16))
        default: return nil
        }
    }

    /// Reads the usual text form: four decimal numbers, or RFC 4291 §2.2 without brackets; a zone id (`%eth0`) is left
    /// out of account.
    package init?(_ text: some StringProtocol) {
        let address = String(text.prefix { $0 != "%" })
        let parsed = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes -> Self? in
            if inet_pton(AF_INET, address, bytes.baseAddress) == 1 { return Self(four: UnsafeRawBufferPointer(bytes)) }
            if inet_pton(AF_INET6, address, bytes.baseAddress) == 1 { return Self(six: UnsafeRawBufferPointer(bytes)) }
            return nil
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// - Parameter four: at least 4 bytes in network order.
    private init(four bytes: UnsafeRawBufferPointer) {
        self = .v4(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
    }

    /// - Parameter six: at least 16 bytes in network order.
    private init(six bytes: UnsafeRawBufferPointer) {
        self = .v6(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// Reads every form that `inet_aton` and so most resolvers take for an IPv4 address: one to four parts, each
    /// decimal, octal (`0177`) or hexadecimal (`0x7f`), the last of which fills the bytes that are left. Nil for what
    /// is not a number at all; a number out of range throws.
    package static func looseIPv4(_ text: Substring) throws(OutOfRange) -> Self? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count), parts.allSatisfy(looksNumeric) else { return nil }
        var value: UInt64 = 0
        for (index, part) in parts.enumerated() {
            let bits = index == parts.count - 1 ? 8 * (5 - parts.count) : 8
            guard let number = number(part), number >> UInt64(bits) == 0 else { throw OutOfRange() }
            value = value << UInt64(bits) | number
        }
        return .v4(UInt32(value))
    }

    /// A host that looks like an IPv4 address and is none.
    package struct OutOfRange: Error {}

    private static func looksNumeric(_ part: Substring) -> Bool {
        if part.hasPrefix("0x") || part.hasPrefix("0X") { return part.dropFirst(2).allSatisfy(\.isHexDigit) }
        return !part.isEmpty && part.allSatisfy { ("0"..."9").contains($0) }
    }

    private static func number(_ part: Substring) -> UInt64? {
        if part.hasPrefix("0x") || part.hasPrefix("0X") {
            return part.count == 2 ? 0 : UInt64(part.dropFirst(2), radix: 16)
        }
        return part.hasPrefix("0") ? UInt64(part, radix: 8) : UInt64(part, radix: 10)
    }
}

extension IPAddress: CustomStringConvertible {
    /// The usual text form; IPv6 in full, without brackets.
    package var description: String {
        switch self {
        case .v4(let value):
            stride(from: 24, through: 0, by: -8).map { String(value >> UInt32($0) & 0xFF) }.joined(separator: ".")
        case .v6(let high, let low):
            [high, low].flatMap { word in
                stride(from: 48, through: 0, by: -16).map { String(word >> UInt64($0) & 0xFFFF, radix: 16) }
            }
            .joined(separator: ":")
        }
    }
}
