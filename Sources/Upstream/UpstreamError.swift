internal import CCurl

/// The reason why a call to a provider failed. Holds no secret: URLs are cut to their origin.
package struct UpstreamError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case invalidURL = "invalid_url"
        case blockedAddress = "blocked_address"
        case resolve = "name_not_resolved"
        case connect = "connect_failed"
        case tls = "tls_failed"
        case connectTimeout = "connect_timeout"
        case idleTimeout = "idle_timeout"
        case totalTimeout = "total_timeout"
        case tooLarge = "answer_too_large"
        case malformed = "malformed_answer"
        case closedEarly = "closed_early"
        case cancelled = "cancelled"
        /// The client's own end: out of handles, or stopped.
        case unavailable = "upstream_unavailable"
    }

    package var code: Code
    /// The failure in words, for a person.
    package var message: String
    /// Whether bytes of the request may have reached the peer. If not, the call can be made again without paying twice.
    package var requestMayHaveBeenSent: Bool
    /// Whether the request went out on a connection that was there before the call, and the peer closed that without a
    /// byte of an answer: most likely the peer was about to close it anyway, and has not read the request.
    package var keptConnectionClosed = false

    package init(_ code: Code, _ message: String, requestMayHaveBeenSent: Bool) {
        self.code = code
        self.message = message
        self.requestMayHaveBeenSent = requestMayHaveBeenSent
    }

    package var description: String { "\(code.rawValue): \(message)" }
}

extension CurlTransfer {
    /// The meaning of libcurl's verdict for the caller.
    func outcome(of code: CURLcode) -> End {
        if code == CURLE_OK { return answer.head == nil ? .failed(headlessError) : .complete }
        // A refused address is final only if no other address of the name could be reached.
        let final = refusal.flatMap { $0 != .blockedAddress || !requestMayHaveBeenSent ? $0 : nil }
        var failure = final.map { error($0, words(for: $0)) } ?? error(self.code(for: code), detail(of: code))
        failure.keptConnectionClosed = wasClosedUnanswered(code)
        return .failed(failure)
    }

    /// Whether the peer closed a connection that was there before this call, and said nothing to it.
    private func wasClosedUnanswered(_ code: CURLcode) -> Bool {
        guard requestMayHaveBeenSent, !hasOpenedSocket, !hasHeard else { return false }
        switch code {
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR: return true
        // libcurl wanted to go to another connection, and first asked for the name again.
        case CURLE_COULDNT_RESOLVE_HOST: return true
        // Of HTTP/2, whose streams fail otherwise where the peer resets them. Before the first line it is none of
        // HTTP/1.
        case CURLE_PARTIAL_FILE: return true
        default: return refusal == .closedEarly
        }
    }

    func error(_ code: UpstreamError.Code, _ message: String) -> UpstreamError {
        UpstreamError(code, "\(message) (\(request.origin))", requestMayHaveBeenSent: requestMayHaveBeenSent)
    }

    /// libcurl is content with an answer that ends inside its head, and with an unasked 101.
    private var headlessError: UpstreamError {
        answer.isInsideHead
            ? error(.closedEarly, "the connection was closed inside the answer's head")
            : error(.malformed, "the answer has no final status")
    }

    /// The reason why there is nothing more to read.
    var failure: UpstreamError {
        end?.error ?? headlessError
    }

    /// The error for an answer that stopped coming.
    var idleError: UpstreamError {
        error(.idleTimeout, "no byte of the answer came for \(request.timeouts.idle)")
    }

    private func code(for code: CURLcode) -> UpstreamError.Code {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: .invalidURL
        // After the request has gone it means HTTP/0.9: an answer without a status line.
        case CURLE_UNSUPPORTED_PROTOCOL: requestMayHaveBeenSent ? .malformed : .invalidURL
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
            CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            .tls
        case CURLE_OPERATION_TIMEDOUT: timeoutCode
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        // libcurl tells a broken chunk from a broken connection by its words alone.
        case CURLE_RECV_ERROR where words.contains("chunk"): .malformed
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2_STREAM:
            requestMayHaveBeenSent ? .closedEarly : .connect
        case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP_RETURNED_ERROR: .malformed
        // A single header line beyond libcurl's own bound is reported as a lack of memory.
        case CURLE_OUT_OF_MEMORY: requestMayHaveBeenSent && answer.head == nil ? .tooLarge : .unavailable
        default: requestMayHaveBeenSent ? .closedEarly : .unavailable
        }
    }

    private var timeoutCode: UpstreamError.Code {
        if requestMayHaveBeenSent { return .totalTimeout }
        return ContinuousClock.now - began < min(request.timeouts.total, .milliseconds(Int32.max))
            ? .connectTimeout : .totalTimeout
    }

    func words(for refusal: UpstreamError.Code) -> String {
        switch refusal {
        case .blockedAddress: "the host's address is one that this call may not reach"
        case .tooLarge where answer.head == nil:
            "the answer's headers are longer than \(request.limits.headerBytes) bytes"
        case .tooLarge: "the answer's body is longer than \(request.limits.bodyBytes) bytes"
        case .malformed where answer.isAmbiguous: "the answer's Content-Length is not a number, or says two"
        case .malformed:
            "the answer's body cannot be decompressed: it is broken, has more than \(ContentDecoder.mostCodings) "
                + "codings, or has very many parts"
        case .closedEarly where answer.head != nil: "the answer's body ends in the middle of what is compressed"
        default: "the connection was closed before an answer came"
        }
    }

    /// libcurl's words, cut to what a log line can hold.
    private func detail(of code: CURLcode) -> String {
        let words = words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
        return String(String.UnicodeScalarView(words.unicodeScalars.filter { (0x20...0x7E).contains($0.value) }))
    }

    /// libcurl's words on a failure. Only as long as the transfer has its handle.
    private var words: String { handle.map { String(cString: $0.errorText) } ?? "" }
}
