internal import CCurl
internal import Glibc

/// What libcurl calls while it works. Nothing here throws, waits, or calls libcurl back.
extension CurlTransfer {
    func setCallbacks(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        let user = Unmanaged.passUnretained(self).toOpaque()
        let pointers = [
            CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_PREREQDATA,
        ].map { ccurl_set_pointer(easy, $0, user) }
        let functions = [
            ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, memory.errorText),
            ccurl_set_on_data(easy, CURLOPT_WRITEFUNCTION) { data, size, count, user in
                guard let transfer = CurlTransfer.of(user) else { return 0 }
                // libcurl reads on within one turn, and gives these bytes again once the transfer goes on.
                if transfer.pauseInsteadOfReceiving() { return Int(CURL_WRITEFUNC_PAUSE) }
                return transfer.receiveBody(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
            },
            ccurl_set_on_data(easy, CURLOPT_HEADERFUNCTION) { data, size, count, user in
                CurlTransfer.of(user)?.receiveHeader(UnsafeRawBufferPointer(start: data, count: size * count)) == true ? size * count : 0
            },
            ccurl_set_on_open(easy) { user, _, address in
                guard let address, let transfer = CurlTransfer.of(user) else { return ccurl_socket_bad }
                return transfer.openSocket(address)
            },
            ccurl_set_on_request(easy) { user, peer, _, _, _ in
                guard let peer, CurlTransfer.of(user)?.mayRequest(of: String(cString: peer)) == true else { return ccurl_on_request_abort }
                return ccurl_on_request_ok
            },
        ]
        return (pointers + functions).first { $0 != CURLE_OK } ?? CURLE_OK
    }

    /// The transfer that a callback's user pointer, or a handle's private one, means.
    static func of(_ user: UnsafeMutableRawPointer?) -> CurlTransfer? {
        user.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        noteActivity()
        let fits = body.append(bytes, at: lastActivity)
        if !fits { refusal = .tooLarge }
        return fits
    }

    private func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        noteActivity()
        hasHeard = true
        let fits = answer.append(line)
        if !fits { refusal = .tooLarge }
        if answer.isAmbiguous { refusal = .malformed }
        return fits && !answer.isAmbiguous
    }

    /// Opens the socket for a connection, if the address is one that the call may reach.
    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        guard maySend() else { return ccurl_socket_bad }
        guard AddressGuard.allows(IPAddress(address.pointer(to: \.addr)), under: request.addresses) else {
            refusal = .blockedAddress
            return ccurl_socket_bad
        }
        hasOpenedSocket = true
        // The process may start others (its own redis-server): they must not inherit the connection.
        let kind = address.pointee
        return socket(kind.family, kind.socktype | Int32(SOCK_CLOEXEC.rawValue), kind.protocol)
    }

    /// Called when the request is about to be sent, on a new connection as on one that an earlier call opened under another policy.
    private func mayRequest(of peer: String) -> Bool {
        guard maySend() else { return false }
        guard AddressGuard.allows(IPAddress(peer), under: request.addresses) else {
            refusal = .blockedAddress
            return false
        }
        noteActivity()
        return true
    }

    /// What RFC 9110 §9.2.2 calls idempotent.
    private static let idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]

    /// Whether the request has not gone yet, or may go twice.
    ///
    /// When a kept connection dies before the answer's first line, libcurl sends the request again by itself: up to
    /// five times, and on other kept connections too. The peer may have begun the work by then, so only what is
    /// idempotent may be sent so; of the rest the caller decides.
    private func maySend() -> Bool {
        guard requestMayHaveBeenSent, !Self.idempotent.contains(request.method) else { return true }
        refusal = .closedEarly
        return false
    }
}
