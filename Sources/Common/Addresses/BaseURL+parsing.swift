extension BaseURL {
    package static let rule = "an http or https URL with a host, without user, query or fragment"
    package static let example = "https://api.example.com/v1"

    /// Reads a URL; nil unless it keeps to `rule`. Slashes at the end are dropped, since paths are appended.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#"?#@\"#.utf8.contains($0) }),
            let colon = text.firstRange(of: "://")
        else { return nil }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[colon.upperBound...]
        let pathStart = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let (host, port) = HostName.splitPort(rest[..<pathStart]), HostName.isValid(host, bracketed: true) else {
            return nil
        }
        var path = rest[pathStart...]
        while path.hasSuffix("/") { path.removeLast() }
        // A path that could climb, or that servers would read differently, is a mistake.
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard !segments.contains(where: { ["", ".", ".."].contains($0) }) else { return nil }
        let standard = scheme == "https" ? 443 : 80
        let shownPort = port.map { $0 == standard ? "" : ":\($0)" } ?? ""
        self.init(
            scheme: scheme, host: host.lowercased(), port: port ?? standard, path: String(path),
            text: "\(scheme)://\(host.lowercased())\(shownPort)\(path)")
    }
}
