internal import CCurl
internal import Glibc

/// The effects of libcurl's callbacks on a call.
extension CurlTransfer {
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        noteActivity()
        do throws(ContentDecoder.Failure) {
            if !answer.codings.isEmpty, decoder == nil { decoder = try makeDecoder() }
            if let decoder { try decoder.take(bytes, keep) } else { try keep(bytes) }
            return true
        } catch {
            refusal = Self.code(for: error)
            return false
        }
    }

    /// Takes what the decoder has kept back.
    /// - Returns: the fault of the body as a whole; nil if it is complete, as far as its codings can tell.
    func endBody() -> UpstreamError.Code? {
        do throws(ContentDecoder.Failure) { try decoder?.end(keep) } catch { return Self.code(for: error) }
        return nil
    }

    private static func code(for failure: ContentDecoder.Failure) -> UpstreamError.Code {
        switch failure {
        case .tooLarge: .tooLarge
        case .broken: .malformed
        case .endsEarly: .closedEarly
        }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) throws(ContentDecoder.Failure) {
        guard body.append(bytes, at: lastActivity) else { throw .tooLarge }
    }

    private func makeDecoder() throws(ContentDecoder.Failure) -> ContentDecoder {
        guard answer.codings.count <= ContentDecoder.mostCodings else { throw .broken }
        let type = answer.head?.headers.first(named: "content-type")?.lowercased() ?? ""
        return ContentDecoder(
            answer.codings, isText: type.contains("json") || type.hasPrefix("text/"),
            mayEndOpen: type.hasPrefix("text/event-stream"))
    }

    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        noteActivity()
        hasHeard = true
        let fits = answer.append(line)
        if !fits { refusal = .tooLarge }
        if answer.isAmbiguous { refusal = .malformed }
        return fits && !answer.isAmbiguous
    }

    /// Opens the socket for a connection, if the address is one that the call may reach.
    func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        guard maySend() else { return ccurl_socket_bad }
        guard AddressGuard.allows(IPAddress(address.pointer(to: \.addr)), under: request.addresses) else {
            refusal = .blockedAddress
            return ccurl_socket_bad
        }
        hasOpenedSocket = true
        // The process may start others (its own redis-server): they must not inherit the connection.
        let kind = address.pointee
        let socket = socket(kind.family, kind.socktype | Int32(SOCK_CLOEXEC.rawValue), kind.protocol)
        if socket >= 0 { pool?.sockets.noteOpened(socket) }
        return socket
    }

    /// Called when the request is about to be sent, on a new connection as on one that an earlier call opened under
    /// another policy.
    func mayRequest(of peer: UnsafePointer<CChar>) -> Bool {
        guard maySend() else { return false }
        let isOpen = request.addresses == .operatorChosen
        guard isOpen || AddressGuard.allows(IPAddress(String(cString: peer)), under: request.addresses) else {
            refusal = .blockedAddress
            return false
        }
        noteActivity()
        return true
    }

    /// The methods that RFC 9110 §9.2.2 calls idempotent.
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
