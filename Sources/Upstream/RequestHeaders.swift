/// Puts a request's fields into libcurl's form of them.
enum RequestHeaders {
    /// Fields that libcurl makes from the request itself. A caller's own would frame the message differently or name another host.
    static let ownedByLibcurl = ["accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding"]

    /// Fields that libcurl would add by itself, and that the request does not have.
    private static let unwanted = ["Accept", "Content-Type", "Expect"]

    /// The lines for `CURLOPT_HTTPHEADER`: `Name: value`, `Name;` for an empty value, `Name:` to leave one of libcurl's own away.
    static func lines(for request: UpstreamRequest) -> [String] {
        let fields = request.headers.filter { field in !ownedByLibcurl.contains { $0.equalsIgnoringASCIICase(field.name) } }
        let removed = unwanted.filter { fields.first(named: $0) == nil }
        return fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" } + removed.map { "\($0):" }
    }
}
