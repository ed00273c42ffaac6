internal import Upstream

/// The host of a client's base URL: a name, or an address that the policy allows.
struct ClientHost {
    /// The host's normal form, as it stands in a URL.
    let text: String

    init(_ host: Substring, addresses: AddressPolicy) throws(GatewayError) {
        guard !host.isEmpty, host.utf8.count <= 253 else {
            throw ClientBaseURL.refusal("has no host, or one of more than 253 characters")
        }
        let lowercased = host.lowercased()
        if lowercased.hasPrefix("[") {
            guard lowercased.hasSuffix("]"), !lowercased.contains("%"),
                let address = IPAddress(lowercased.dropFirst().dropLast()), case .v6 = address
            else {
                throw ClientBaseURL.refusal(
                    "has brackets without a plain IPv6 address in them (zone ids are not taken)")
            }
            try Self.check(address, addresses)
        } else if let address = try Self.number(lowercased[...]) {
            try Self.check(address, addresses)
            self.text = address.description
            return
        } else {
            try Self.checkName(lowercased, addresses)
        }
        text = lowercased
    }

    /// Names under which clouds serve their machines' credentials.
    private static let metadataNames: Set<UTF8Text> = [
        "metadata", "metadata.google.internal", "metadata.goog", "metadata.internal", "metadata.azure.internal",
        "metadata.azure.com",
        "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com", "metadata.oraclecloud.com",
        "metadata.platformequinix.com",
    ]

    private static func number(_ host: Substring) throws(GatewayError) -> IPAddress? {
        do throws(IPAddress.OutOfRange) {
            return try IPAddress.looseIPv4(host)
        } catch {
            throw ClientBaseURL.refusal("has a host that looks like an IPv4 address and is none")
        }
    }

    private static func check(_ address: IPAddress, _ policy: AddressPolicy) throws(GatewayError) {
        guard AddressGuard.allows(address, under: policy) else {
            throw ClientBaseURL.refusal("leads to an address that this gateway does not call for its clients")
        }
    }

    private static func checkName(_ host: String, _ policy: AddressPolicy) throws(GatewayError) {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy(isLabel), let last = labels.last else {
            throw ClientBaseURL.refusal(
                "has a host that is not a name of letters, digits and hyphens (a dot at its end is not taken either)")
        }
        // As in the WHATWG URL standard: a host whose last label is a number is an address or nothing.
        guard !last.allSatisfy({ ("0"..."9").contains($0) }), !last.hasPrefix("0x") else {
            throw ClientBaseURL.refusal("has a host that looks like an IPv4 address and is none")
        }
        guard !metadataNames.contains(host) else { throw ClientBaseURL.refusal("leads to a cloud's metadata service") }
        // RFC 6761 §6.3: these names are the machine itself, even if a resolver says otherwise.
        if last == "localhost" { try check(.v4(0x7F00_0001), policy) }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }
}
