/// Decides which addresses a call may connect to.
///
/// The ranges are those of IANA's special-purpose registries (RFC 6890) and the metadata services that cloud vendors
/// document. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, Teredo) is judged by both.
package enum AddressGuard {
    /// The purpose of an address.
    package enum Kind: Sendable, Hashable, CaseIterable {
        case global
        case loopback
        /// RFC 1918, the shared space of carriers (RFC 6598) and unique local IPv6.
        case privateNetwork
        case linkLocal
        /// A service that hands a machine's credentials to any process that asks from it.
        case metadata
        /// Unspecified, "this network", multicast, broadcast, documentation, benchmarks and what is not yet given out.
        case reserved
    }

    /// Whether a call under `policy` may connect to an address. Nil, an address of another family, is only for the
    /// operator.
    package static func allows(_ address: IPAddress?, under policy: AddressPolicy) -> Bool {
        guard case .clientChosen(let allowLoopback, let allowPrivate) = policy else { return true }
        guard let address else { return false }
        return kinds(of: address).allSatisfy { kind in
            switch kind {
            case .global: true
            case .loopback: allowLoopback
            case .privateNetwork: allowPrivate
            case .linkLocal, .metadata, .reserved: false
            }
        }
    }

    /// The kind of an address and of every IPv4 address inside it.
    package static func kinds(of address: IPAddress) -> Set<Kind> {
        switch address {
        case .v4(let value): [kind(ofIPv4: value)]
        case .v6(let high, let low): kinds(high, low)
        }
    }

    private static let metadataIPv4: Set<UInt32> = [
        0xA9FE_A9FE,  // 169.254.169.254: AWS, Google, Azure and others
        0xA9FE_AA02,  // 169.254.170.2: AWS containers
        0xA9FE_AA17,  // 169.254.170.23: AWS EKS pods
        0x6464_64C8,  // 100.100.100.200: Alibaba
        0xA83F_8110,  // 168.63.129.16: Azure's host
        0xC000_00C0,  // 192.0.0.192: Oracle's old one
    ]

    private static let rangesIPv4: [(network: UInt32, prefix: UInt32, kind: Kind)] = [
        (0x0000_0000, 8, .reserved),  // 0/8: this network
        (0x0A00_0000, 8, .privateNetwork),  // 10/8
        (0x6440_0000, 10, .privateNetwork),  // 100.64/10
        (0x7F00_0000, 8, .loopback),  // 127/8
        (0xA9FE_0000, 16, .linkLocal),  // 169.254/16
        (0xAC10_0000, 12, .privateNetwork),  // 172.16/12
        (0xC000_0000, 24, .reserved),  // 192.0.0/24: protocol assignments
        (0xC000_0200, 24, .reserved),  // 192.0.2/24: documentation
        (0xC058_6300, 24, .reserved),  // 192.88.99/24: 6to4 relays
        (0xC0A8_0000, 16, .privateNetwork),  // 192.168/16
        (0xC612_0000, 15, .reserved),  // 198.18/15: benchmarks
        (0xC633_6400, 24, .reserved),  // 198.51.100/24: documentation
        (0xCB00_7100, 24, .reserved),  // 203.0.113/24: documentation
        (0xE000_0000, 3, .reserved),  // 224/4 multicast, 240/4 and broadcast
    ]

    private static func kind(ofIPv4 value: UInt32) -> Kind {
        if metadataIPv4.contains(value) { return .metadata }
        return rangesIPv4.first { value >> (32 - $0.prefix) == $0.network >> (32 - $0.prefix) }?.kind ?? .global
    }

    private static func kinds(_ high: UInt64, _ low: UInt64) -> Set<Kind> {
        let tail = UInt32(truncatingIfNeeded: low)
        switch (high, low) {
        case (0, 1): return [.loopback]
        case (0, 0x0000_FFFF_0000_0000...0x0000_FFFF_FFFF_FFFF): return [kind(ofIPv4: tail)]  // ::ffff:0:0/96: mapped
        case (0x0064_FF9B_0000_0000, 0...0xFFFF_FFFF): return [kind(ofIPv4: tail)]  // 64:ff9b::/96: NAT64 (RFC 6052)
        case (0xFD00_0EC2_0000_0000, 0x254), (0xFD00_0EC2_0000_0000, 0x23): return [.metadata]  // AWS, EKS
        case (0xFD20_00CE_0000_0000, 0x254): return [.metadata]  // Google: fd20:ce::254
        default: break
        }
        switch high >> 48 {
        // 2001::/32: Teredo, its server and, inverted, its client (RFC 4380 §4)
        case 0x2001 where high >> 32 == 0x2001_0000:
            return [kind(ofIPv4: UInt32(truncatingIfNeeded: high)), kind(ofIPv4: ~tail)]
        case 0x2001 where high >> 41 == 0x2001_0000 >> 9: return [.reserved]  // 2001::/23: protocol assignments
        case 0x2001 where high >> 32 == 0x2001_0DB8: return [.reserved]  // 2001:db8::/32: documentation
        case 0x2002: return [kind(ofIPv4: UInt32(truncatingIfNeeded: high >> 16))]  // 2002::/16: 6to4 (RFC 3056)
        case 0x3FFF where high >> 44 == 0x3FFF0: return [.reserved]  // 3fff::/20: documentation
        case 0x2000...0x3FFF: return [.global]  // 2000::/3, all that is given out
        case 0xFC00...0xFDFF: return [.privateNetwork]  // fc00::/7
        case 0xFE80...0xFEBF: return [.linkLocal]  // fe80::/10
        default: return [.reserved]
        }
    }
}
