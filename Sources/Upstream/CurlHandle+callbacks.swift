internal import CCurl

/// The functions that libcurl calls while it works. Nothing here throws, waits, or calls libcurl back.
extension CurlHandle {
    func setCallbacks(_ sockets: SocketRegistry) -> CURLcode {
        let user = Unmanaged.passUnretained(self).toOpaque()
        let pointers = [
            CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_PREREQDATA,
        ].map { ccurl_set_pointer(easy, $0, user) }
        let functions = [
            ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText),
            ccurl_set_on_data(easy, CURLOPT_WRITEFUNCTION) { data, size, count, user in
                guard let transfer = CurlHandle.of(user)?.transfer else { return 0 }
                // libcurl reads on within one turn, and gives these bytes again once the transfer goes on.
                if transfer.pauseInsteadOfReceiving() { return Int(CURL_WRITEFUNC_PAUSE) }
                let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                return transfer.receiveBody(bytes) ? bytes.count : 0
            },
            ccurl_set_on_data(easy, CURLOPT_HEADERFUNCTION) { data, size, count, user in
                guard let transfer = CurlHandle.of(user)?.transfer else { return 0 }
                let line = UnsafeRawBufferPointer(start: data, count: size * count)
                return transfer.receiveHeader(line) ? line.count : 0
            },
            ccurl_set_on_open(easy) { user, _, address in
                guard let address, let transfer = CurlHandle.of(user)?.transfer else { return ccurl_socket_bad }
                return transfer.openSocket(address)
            },
            ccurl_set_on_request(easy) { user, peer, _, _, _ in
                guard let peer, let transfer = CurlHandle.of(user)?.transfer else { return ccurl_on_request_abort }
                return transfer.mayRequest(of: peer) ? ccurl_on_request_ok : ccurl_on_request_abort
            },
            // A connection outlives the handle that opened it, but not the loop's sockets.
            ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(sockets).toOpaque()),
            ccurl_set_on_close(easy) { user, socket in
                guard let user else { return 1 }
                Unmanaged<SocketRegistry>.fromOpaque(user).takeUnretainedValue().close(socket)
                return 0
            },
        ]
        return (pointers + functions).first { $0 != CURLE_OK } ?? CURLE_OK
    }
}
