internal import CCurl

extension CurlHandle {
    /// The options that each call may set anew.
    struct Options {
        let url: String
        let bodyLimit: Int
        let connectMilliseconds: Int32
        let totalMilliseconds: Int32
        let connections: ConnectionUse

        init(_ request: UpstreamRequest) {
            url = request.url
            bodyLimit = request.limits.bodyBytes
            connectMilliseconds = max(1, request.timeouts.connect.wholeMilliseconds)
            totalMilliseconds = max(1, request.timeouts.total.wholeMilliseconds)
            connections = request.connections
        }
    }

    /// Sets what is the same for all calls of the kind.
    func configure(_ configuration: CurlConfiguration, sockets: SocketRegistry) -> CURLcode {
        first(setScheme(), setMethod(), setConnection(configuration), setCallbacks(sockets))
    }

    /// Sets what a call has for itself, as far as the call before had it differently.
    func configure(for transfer: CurlTransfer, resolver: (() -> [String])?) -> CURLcode {
        let (old, new) = (options, Options(transfer.request))
        options = new
        return first(
            old?.url == new.url ? CURLE_OK : ccurl_set_string(easy, CURLOPT_URL, new.url),
            setLimits(new, unlike: old),
            old?.connections == new.connections ? CURLE_OK : setReuse(new.connections),
            setContent(of: transfer),
            setNames(resolver, transfer.memory))
    }

    /// Removes the pointers to a call's memory.
    func clear() -> CURLcode {
        first(
            ccurl_set_headers(easy, nil), ccurl_set_names(easy, nil),
            kind.hasBody ? ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, nil) : CURLE_OK)
    }

    /// Only http and https, no redirects, and nothing from the environment, files or earlier calls.
    private func setScheme() -> CURLcode {
        first(
            ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            ccurl_set_long(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1),
            ccurl_set_long(easy, CURLOPT_PATH_AS_IS, 1),
            ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),
            ccurl_set_string(easy, CURLOPT_PROXY, ""),
            ccurl_set_long(easy, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
            ccurl_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0))
    }

    private func setMethod() -> CURLcode {
        if kind.method == "HEAD" { return ccurl_set_long(easy, CURLOPT_NOBODY, 1) }
        return first(
            ccurl_set_long(easy, kind.hasBody ? CURLOPT_POST : CURLOPT_HTTPGET, 1),
            ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, kind.method))
    }

    private func setConnection(_ configuration: CurlConfiguration) -> CURLcode {
        // In the clear no ALPN says what the peer speaks: libcurl would make all calls wait for the first one's answer
        // to learn it.
        let usesHTTP2 = configuration.usesHTTP2 && kind.isOverTLS
        return first(
            // Without it libcurl uses SIGALRM, which belongs to the whole process.
            ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            ccurl_set_long(easy, CURLOPT_TCP_NODELAY, 1),
            ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            ccurl_set_long(easy, CURLOPT_HTTP_VERSION, usesHTTP2 ? ccurl_http_2_over_tls : ccurl_http_1_1),
            ccurl_set_long(easy, CURLOPT_PIPEWAIT, usesHTTP2 ? 1 : 0),
            configuration.caFile.map { ccurl_set_string(easy, CURLOPT_CAINFO, $0) } ?? CURLE_OK)
    }

    /// The idle time is the loop's own matter.
    private func setLimits(_ new: Options, unlike old: Options?) -> CURLcode {
        first(
            // A declared length beyond the bound is refused before anything of the answer is passed on.
            old?.bodyLimit == new.bodyLimit
                ? CURLE_OK : ccurl_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(new.bodyLimit)),
            old?.connectMilliseconds == new.connectMilliseconds
                ? CURLE_OK : ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(new.connectMilliseconds)),
            old?.totalMilliseconds == new.totalMilliseconds
                ? CURLE_OK : ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(new.totalMilliseconds)))
    }

    private func setReuse(_ use: ConnectionUse) -> CURLcode {
        first(
            // libcurl counts whole seconds, and keeps what has been idle for so many and not for one more.
            ccurl_set_long(easy, CURLOPT_MAXAGE_CONN, max(0, use.idleSeconds - 1)),
            ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, use.mustBeFresh || use.idleSeconds == 0 ? 1 : 0),
            ccurl_set_long(easy, CURLOPT_FORBID_REUSE, use.idleSeconds == 0 ? 1 : 0))
    }

    private func setContent(of transfer: CurlTransfer) -> CURLcode {
        let headers = ccurl_set_headers(easy, transfer.memory.headers.list)
        guard kind.hasBody else { return headers }
        return first(
            headers,
            ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(transfer.memory.bodyCount)),
            // Not a copy: libcurl sends from the transfer's own memory.
            ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, transfer.memory.body.baseAddress))
    }

    private func setNames(_ resolver: (() -> [String])?, _ memory: CurlMemory) -> CURLcode {
        guard let resolver else { return CURLE_OK }
        memory.setNames(resolver())
        return ccurl_set_names(easy, memory.names)
    }

    private func first(_ results: CURLcode...) -> CURLcode { results.first { $0 != CURLE_OK } ?? CURLE_OK }
}
