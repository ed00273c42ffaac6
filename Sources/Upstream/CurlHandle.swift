internal import CCurl

/// An easy handle of libcurl's, which serves calls of one kind, one after the other, and stays configured in between.
/// Stays on its loop's thread.
///
/// Between calls it holds no pointer to anything of a call. It keeps options alone, and the URL until another is set.
final class CurlHandle {
    /// The properties that calls must have in common to be served by the same handle.
    struct Kind: Equatable {
        let method: String
        /// Whether a body is sent, be it an empty one.
        let hasBody: Bool
        let isOverTLS: Bool

        init(_ request: UpstreamRequest) {
            method = request.method
            let takesBody = !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
            hasBody = takesBody && request.method != "HEAD"
            isOverTLS = request.isOverTLS
        }

        static func == (left: Self, right: Self) -> Bool {
            left.hasBody == right.hasBody && left.isOverTLS == right.isOverTLS && left.method == right.method
        }
    }

    let kind: Kind
    let easy: UnsafeMutableRawPointer
    /// libcurl's own words on a failure, NUL-terminated.
    let errorText: UnsafeMutablePointer<CChar>
    /// The call that it serves; libcurl's callbacks find it here.
    private(set) var transfer: CurlTransfer?
    /// The options of the call before.
    var options: Options?

    /// - Throws: `unavailable` if libcurl is out of memory, or was built without an option.
    init(_ kind: Kind, _ configuration: CurlConfiguration, sockets: SocketRegistry) throws(UpstreamError) {
        guard let easy = curl_easy_init() else {
            throw UpstreamError(.unavailable, "libcurl is out of memory", requestMayHaveBeenSent: false)
        }
        self.kind = kind
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = configure(configuration, sockets: sockets)
        guard code == CURLE_OK else {
            let why = String(cString: curl_easy_strerror(code))
            throw UpstreamError(.unavailable, "libcurl refuses an option: \(why)", requestMayHaveBeenSent: false)
        }
    }

    /// It must have left its multi handle.
    deinit {
        curl_easy_cleanup(easy)
        errorText.deallocate()
    }

    /// The handle that a callback's user pointer, or libcurl's private one, means.
    static func of(_ user: UnsafeMutableRawPointer?) -> CurlHandle? {
        user.map { Unmanaged<CurlHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Makes the handle ready for a call of its kind. Returns libcurl's first refusal.
    func begin(_ transfer: CurlTransfer, resolver: (() -> [String])?) -> CURLcode {
        self.transfer = transfer
        errorText.pointee = 0
        return configure(for: transfer, resolver: resolver)
    }

    /// Takes everything of its call away. Returns whether that is so, and the handle can be used again.
    func end() -> Bool {
        transfer = nil
        return clear() == CURLE_OK
    }
}
