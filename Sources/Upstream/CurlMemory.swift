internal import CCurl

/// The C memory of one transfer: what libcurl reads and writes by pointer for as long as it runs.
final class CurlMemory {
    /// The only copy that is made of the request's body; libcurl sends from here.
    let body: UnsafeMutableRawBufferPointer
    /// The request's header lines.
    let headers: UnsafeMutablePointer<curl_slist>?
    /// What a resolver says of some names; nil where the system's is asked.
    private(set) var names: UnsafeMutablePointer<curl_slist>?
    /// libcurl's own words on a failure, NUL-terminated.
    let errorText: UnsafeMutablePointer<CChar>

    init(_ request: UpstreamRequest) {
        // At least one byte, since libcurl takes a null pointer for "read it from standard input".
        body = .allocate(byteCount: max(1, request.body.count), alignment: 1)
        body.copyBytes(from: request.body)
        headers = Self.list(RequestHeaders.lines(for: request))
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        body.deallocate()
        curl_slist_free_all(headers)
        curl_slist_free_all(names)
        errorText.deallocate()
    }

    func setNames(_ lines: [String]) {
        curl_slist_free_all(names)
        names = Self.list(lines)
    }

    /// curl_slist_append returns nil when memory is short and leaves the list as it was.
    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        lines.reduce(nil) { list, line in curl_slist_append(list, line) ?? list }
    }
}
