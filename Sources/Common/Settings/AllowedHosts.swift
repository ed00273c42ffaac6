/// The names under which a server may be asked (`ALLOWED_HOSTS`). They are a guard against DNS rebinding: the name of
/// another site leads to this machine, so the browser's rules no longer keep its page out. The page's requests still
/// give that name in `Host`.
package struct AllowedHosts: Sendable, Hashable, CustomStringConvertible {
    package static let any = AllowedHosts(isAny: true)
    /// This machine's own names and addresses alone.
    package static let loopback = AllowedHosts()

    private var isAny = false
    /// In their normal form, as UTF-8.
    private var names: Set<[UInt8]> = []

    private init(isAny: Bool = false) { self.isAny = isAny }

    /// Reads names and addresses without ports, with commas between them, or `*` for any. Nil if one is none.
    init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(part.filter { $0 != " " })
            guard name != "*" else {
                isAny = true
                continue
            }
            guard HostName.isValid(name) || HostName.isValid(name, bracketed: true) else { return nil }
            names.insert(Self.normal(Array(name.utf8)[...]))
        }
    }

    /// Chooses the hosts for which a server answers.
    /// - Parameters:
    ///   - set: the operator's choice, which holds for every server.
    ///   - host: the address on which it listens.
    ///   - asksForKeys: whether a client needs a key. Where it needs none, or some pages need none, and the server is
    ///     there for this machine alone, its names are all.
    package init(_ set: AllowedHosts?, listeningOn host: String, asksForKeys: Bool) {
        self = set ?? (!asksForKeys && HostName.isLoopback(host) ? .loopback : .any)
    }

    /// Whether a request may be answered. This machine's own names always may: no other site has them.
    /// - Parameter authority: the host that the request names: a name or an address, perhaps with a port. Nil if it
    ///   says nothing, as HTTP/1.0 allows; no browser does so.
    package func allows(_ authority: String?) -> Bool {
        guard !isAny, let authority else { return true }
        guard let host = Self.withoutPort(authority.utf8) else { return false }
        let name = Self.normal(host)
        return names.contains(name) || HostName.isLoopback(String(decoding: name, as: UTF8.self))
    }

    package var description: String {
        isAny ? "*" : names.map { String(decoding: $0, as: UTF8.self) }.sorted().joined(separator: ",")
    }

    /// The host of `host`, `host:` or `host:port`; nil if what follows the host is not a port.
    private static func withoutPort(_ authority: String.UTF8View) -> ArraySlice<UInt8>? {
        let bytes = Array(authority)
        let afterAddress = bytes.lastIndex(of: UInt8(ascii: "]")) ?? 0
        guard let colon = bytes[afterAddress...].firstIndex(of: UInt8(ascii: ":")) else { return bytes[...] }
        guard bytes[(colon + 1)...].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return bytes[..<colon]
    }

    /// Lower case, without the dot of the root (RFC 1034 §3.1) and without an address's brackets.
    private static func normal(_ host: ArraySlice<UInt8>) -> [UInt8] {
        var host = host
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = host.dropFirst().dropLast() }
        if host.count > 1, host.last == UInt8(ascii: ".") { host = host.dropLast() }
        return host.map(\.asciiLowercased)
    }
}

extension SettingRule<AllowedHosts> {
    static var allowedHosts: Self {
        Self(
            text: "host names or addresses without ports, with commas between them, or `*` for any",
            example: "gateway.internal,10.0.0.5",
            parse: { AllowedHosts($0) }, show: { $0.description })
    }
}
