internal import Glibc
package import Upstream

/// The address on which a process listens, in all the ways in which a URL may say so without a look-up.
package struct OwnAddress: Sendable {
    private let host: String
    private let port: Int
    private let machine: Machine

    /// The names and addresses of a machine.
    package struct Machine: Sendable {
        package var names: Set<UTF8Text>
        package var addresses: Set<IPAddress>

        package init(names: Set<UTF8Text>, addresses: Set<IPAddress>) {
            self.names = names
            self.addresses = addresses
        }
    }

    package init(host: String, port: Int, machine: Machine = .this) {
        self.host = host
        self.port = port
        self.machine = machine
    }

    /// Nil for a process that serves no clients, or takes any free port.
    package init?(_ settings: Settings) {
        guard settings.role == .serve, settings.http.port != 0 else { return nil }
        self.init(host: settings.http.host, port: settings.http.port)
    }

    package static let complaint =
        "leads to this gateway itself (HOST, PORT), so a call would come back again and again; set it to the provider's own URL, or unset it for the gateway"

    /// Whether a call to `url` comes to this process.
    package func isMeant(by url: BaseURL) -> Bool {
        guard url.port == port else { return false }
        let called = Place(url.host)
        let own = Place(host)
        if called == own { return true }
        // A call to the unspecified address comes to the loopback interface.
        if called.isLoopback || called == .unspecified { return own.isLoopback || own == .unspecified }
        guard isMachine(called) else { return false }
        return own == .unspecified || isMachine(own)
    }

    private func isMachine(_ place: Place) -> Bool {
        switch place {
        case .name(let name): machine.names.contains(name)
        case .address(let address): machine.addresses.contains(address)
        case .loopback, .unspecified: false
        }
    }

    /// The meaning of a host in a URL.
    private enum Place: Equatable {
        case loopback
        case unspecified
        case address(IPAddress)
        case name(UTF8Text)

        var isLoopback: Bool { self == .loopback }

        init(_ host: String) {
            var host = host.lowercased().filter { $0 != "[" && $0 != "]" }
            if host.hasSuffix(".") { host.removeLast() }
            guard let address = IPAddress(host) ?? (try? IPAddress.looseIPv4(host[...])) else {
                self =
                    Self.loopbackNames.contains(host) || host.hasSuffix(".localhost")
                    ? .loopback : .name(UTF8Text(host))
                return
            }
            switch address.unmapped {
            case .v4(0), .v6(0, 0): self = .unspecified
            case .v4(let value) where value >> 24 == 127: self = .loopback
            case .v6(0, 1): self = .loopback
            case let other: self = .address(other)
            }
        }

        private static let loopbackNames: Set<UTF8Text> = [
            "localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback",
        ]
    }
}

extension OwnAddress.Machine {
    /// This machine: its host name, also without its domain, and the addresses of its interfaces (getifaddrs(3)).
    package static let this: Self = {
        var machine = Self(names: [], addresses: [])
        var name = [CChar](repeating: 0, count: 256)
        if gethostname(&name, name.count - 1) == 0 {
            let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .lowercased()
            machine.names = [UTF8Text(text), UTF8Text(text.prefix { $0 != "." })]
        }
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return machine }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next {
            if let address = IPAddress(entry.pointee.ifa_addr) { machine.addresses.insert(address.unmapped) }
            next = entry.pointee.ifa_next
        }
        return machine
    }()
}

extension IPAddress {
    /// The IPv4 address that an IPv4-mapped one stands for (RFC 4291 §2.5.5.2).
    fileprivate var unmapped: Self {
        if case .v6(0, let low) = self, low >> 32 == 0xFFFF { .v4(UInt32(truncatingIfNeeded: low)) } else { self }
    }
}
