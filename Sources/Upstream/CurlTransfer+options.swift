internal import CCurl

extension CurlTransfer {
    /// Tells libcurl all about the call. Returns the first refusal, such as an option that this libcurl was built without.
    func configure(_ configuration: CurlConfiguration) -> CURLcode {
        guard let easy else { return CURLE_FAILED_INIT }
        return first(
            setTarget(easy), setMethod(easy), setTimeouts(easy), setConnection(easy, configuration), setReuse(easy),
            setNames(easy, configuration), setCallbacks(easy),
            ccurl_set_headers(easy, memory.headers))
    }

    /// Only http and https, no redirects, and nothing from the environment, files or earlier calls.
    private func setTarget(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        first(
            ccurl_set_string(easy, CURLOPT_URL, request.url),
            ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            ccurl_set_long(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1),
            ccurl_set_long(easy, CURLOPT_PATH_AS_IS, 1),
            ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),
            ccurl_set_string(easy, CURLOPT_PROXY, ""),
            ccurl_set_long(easy, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
            ccurl_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0),
            // An empty list means every encoding that libcurl can undo.
            ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, ""))
    }

    private func setMethod(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        if request.method == "HEAD" { return ccurl_set_long(easy, CURLOPT_NOBODY, 1) }
        let takesBody = ["POST", "PUT", "PATCH"].contains(request.method) || !request.body.isEmpty
        guard takesBody else {
            return first(ccurl_set_long(easy, CURLOPT_HTTPGET, 1), ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method))
        }
        return first(
            ccurl_set_long(easy, CURLOPT_POST, 1),
            ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method),
            ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, request.body.count),
            // Not a copy: libcurl sends from the transfer's own memory.
            ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, memory.body.baseAddress))
    }

    /// Zero would mean "no bound" to libcurl. The idle time is the loop's own matter.
    private func setTimeouts(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        first(
            // A declared length beyond the bound is refused before anything of the answer is passed on.
            ccurl_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.limits.bodyBytes)),
            ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, request.timeouts.connect.wholeMilliseconds))),
            ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(max(1, request.timeouts.total.wholeMilliseconds))))
    }

    private func setConnection(_ easy: UnsafeMutableRawPointer, _ configuration: CurlConfiguration) -> CURLcode {
        // In the clear no ALPN says what the peer speaks: libcurl would make all calls wait for the first one's answer to learn it.
        let usesHTTP2 = configuration.usesHTTP2 && request.isOverTLS
        return first(
            // Without it libcurl uses SIGALRM, which belongs to the whole process.
            ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            ccurl_set_long(easy, CURLOPT_TCP_NODELAY, 1),
            ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            ccurl_set_long(easy, CURLOPT_HTTP_VERSION, usesHTTP2 ? ccurl_http_2_over_tls : ccurl_http_1_1),
            ccurl_set_long(easy, CURLOPT_PIPEWAIT, usesHTTP2 ? 1 : 0),
            configuration.caFile.map { ccurl_set_string(easy, CURLOPT_CAINFO, $0) } ?? CURLE_OK)
    }

    private func setReuse(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        let use = request.connections
        return first(
            // libcurl counts whole seconds, and keeps what has been idle for so many and not for one more.
            ccurl_set_long(easy, CURLOPT_MAXAGE_CONN, max(0, use.idleSeconds - 1)),
            ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, use.mustBeFresh || use.idleSeconds == 0 ? 1 : 0),
            ccurl_set_long(easy, CURLOPT_FORBID_REUSE, use.idleSeconds == 0 ? 1 : 0))
    }

    private func setNames(_ easy: UnsafeMutableRawPointer, _ configuration: CurlConfiguration) -> CURLcode {
        guard let resolver = configuration.resolver else { return CURLE_OK }
        memory.setNames(resolver())
        return ccurl_set_names(easy, memory.names)
    }

    private func first(_ results: CURLcode...) -> CURLcode { results.first { $0 != CURLE_OK } ?? CURLE_OK }
}
