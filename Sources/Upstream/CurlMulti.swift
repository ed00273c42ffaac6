internal import CCurl

/// libcurl's multi handle with the connections that it keeps, driven by `curl_multi_socket_action` over a loop's
/// sockets. Stays on its loop's thread.
///
/// Every easy handle must be removed before the last reference goes.
final class CurlMulti {
    private let handle: UnsafeMutableRawPointer
    /// Outlives the connections.
    let sockets: SocketRegistry
    /// Tells its sockets' events from those of the loop's other multi handles.
    private let number: UInt32
    /// The time at which libcurl wants to be called although no socket is ready.
    private(set) var timer: ContinuousClock.Instant?

    init(_ configuration: CurlConfiguration, sockets: SocketRegistry, number: UInt32) throws(UpstreamError) {
        guard curl_global_init(ccurl_global_default) == CURLE_OK, let handle = curl_multi_init() else {
            throw UpstreamError(.unavailable, "libcurl cannot start: out of memory", requestMayHaveBeenSent: false)
        }
        self.handle = handle
        self.sockets = sockets
        self.number = number
        ccurl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxHostConnections)
        ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, configuration.maxIdleConnections)
        ccurl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        let user = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, user)
        ccurl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, user)
        ccurl_multi_set_on_socket(handle) { _, socket, wanted, user, _ in
            guard let user else { return 0 }
            Unmanaged<CurlMulti>.fromOpaque(user).takeUnretainedValue().listen(on: socket, for: wanted)
            return 0
        }
        ccurl_multi_set_on_timer(handle) { _, milliseconds, user in
            guard let user else { return 0 }
            let multi = Unmanaged<CurlMulti>.fromOpaque(user).takeUnretainedValue()
            multi.timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
            return 0
        }
    }

    deinit { curl_multi_cleanup(handle) }

    func add(_ easy: UnsafeMutableRawPointer) -> CURLMcode { curl_multi_add_handle(handle, easy) }

    /// Ends a transfer at any point of it.
    func remove(_ easy: UnsafeMutableRawPointer) { curl_multi_remove_handle(handle, easy) }

    /// Lets libcurl work on a socket.
    func act(on socket: Int32, _ ready: EventPoll.Readiness) {
        var action: Int32 = 0
        if ready.contains(.input) { action |= CURL_CSELECT_IN }
        if ready.contains(.output) { action |= CURL_CSELECT_OUT }
        if !ready.isDisjoint(with: .failure) { action |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(handle, socket, action, &running)
    }

    /// Lets libcurl do what it wanted to do by now.
    func actOnTime() {
        guard let timer, timer <= .now else { return }
        self.timer = nil
        var running: Int32 = 0
        curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// The next transfer that has ended, with libcurl's verdict.
    func nextEnded() -> (transfer: CurlTransfer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            var user: UnsafeMutableRawPointer?
            ccurl_get_pointer(easy, CURLINFO_PRIVATE, &user)
            if let transfer = CurlHandle.of(user)?.transfer { return (transfer, code) }
        }
        return nil
    }

    private func listen(on socket: Int32, for wanted: Int32) {
        let readiness: EventPoll.Readiness =
            switch wanted {
            case CURL_POLL_IN: .input
            case CURL_POLL_OUT: .output
            case CURL_POLL_INOUT: [.input, .output]
            default: []
            }
        sockets.listen(on: socket, for: readiness, owner: number)
    }
}
