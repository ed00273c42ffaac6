internal import CCurl

/// libcurl's multi handle with the connections that it keeps, driven by `curl_multi_socket_action` over an `EventPoll`.
/// Stays on its loop's thread.
///
/// Every easy handle must be removed before the last reference goes.
final class CurlMulti {
    private let handle: UnsafeMutableRawPointer
    private let poll: EventPoll
    /// Tells its sockets' events from those of the poll's other users.
    private let number: UInt32
    /// When libcurl wants to be called although no socket is ready.
    private(set) var timer: ContinuousClock.Instant?

    init(_ configuration: CurlConfiguration, poll: EventPoll, number: UInt32) throws(UpstreamError) {
        guard curl_global_init(ccurl_global_default) == CURLE_OK, let handle = curl_multi_init() else {
            throw UpstreamError(.unavailable, "libcurl cannot start: out of memory", requestMayHaveBeenSent: false)
        }
        self.handle = handle
        self.poll = poll
        self.number = number
        ccurl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxHostConnections)
        ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, configuration.maxIdleConnections)
        ccurl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        let user = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, user)
        ccurl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, user)
        ccurl_multi_set_on_socket(handle) { _, socket, wanted, user, _ in
            guard let user else { return 0 }
            Unmanaged<CurlMulti>.fromOpaque(user).takeUnretainedValue().watch(socket, for: wanted)
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

    /// Ends a transfer at whatever point it is.
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
    func nextEnded() -> (easy: UnsafeMutableRawPointer, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            if message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle { return (easy, message.pointee.data.result) }
        }
        return nil
    }

    private func watch(_ socket: Int32, for wanted: Int32) {
        switch wanted {
        case CURL_POLL_IN: poll.watch(socket, for: .input, owner: number)
        case CURL_POLL_OUT: poll.watch(socket, for: .output, owner: number)
        case CURL_POLL_INOUT: poll.watch(socket, for: [.input, .output], owner: number)
        default: poll.ignore(socket)
        }
    }
}
