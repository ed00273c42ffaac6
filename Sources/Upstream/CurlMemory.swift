internal import CCurl

/// The C memory of one transfer: what libcurl reads by pointer for as long as it runs.
final class CurlMemory {
    /// The only copy that is made of the request's body; libcurl sends from here.
    let body: UnsafeMutableRawBufferPointer
    let bodyCount: Int
    let headers: RequestHeaders
    /// The answers of a resolver for some names; nil where the system's is asked.
    private(set) var names: UnsafeMutablePointer<curl_slist>?

    init(_ request: UpstreamRequest) {
        // At least one byte, since libcurl takes a null pointer for "read it from standard input".
        body = .allocate(byteCount: max(1, request.body.count), alignment: 1)
        body.copyBytes(from: request.body)
        bodyCount = request.body.count
        headers = RequestHeaders(request.headers)
    }

    deinit {
        body.deallocate()
        curl_slist_free_all(names)
    }

    /// curl_slist_append returns nil when memory is short and leaves the list as it was.
    func setNames(_ lines: [String]) {
        curl_slist_free_all(names)
        names = lines.reduce(nil) { list, line in curl_slist_append(list, line) ?? list }
    }
}
