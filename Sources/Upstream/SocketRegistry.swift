internal import Glibc

/// Watches the sockets of a loop as libcurl wishes, with as few system calls as that takes. Stays on its loop's thread.
///
/// libcurl begins to listen to a connection with each call, and stops with its end. A connection's socket stays
/// registered for input in between. If something comes that libcurl does not listen for, the socket is removed until
/// libcurl listens again. That happens if the peer closes an idle connection, or speaks while its reader is slow.
final class SocketRegistry {
    /// A socket from its opening to its closing.
    private struct Entry {
        /// The events for which libcurl listens.
        var wanted: EventPoll.Readiness = []
        /// The events that the kernel watches. Empty: the socket is not registered.
        var watched: EventPoll.Readiness = []
    }

    private let poll: EventPoll
    /// By the number of the socket. Nil for those that were not opened here: libcurl's resolver closes its own unseen.
    private var entries: [Entry?] = []

    init(_ poll: EventPoll) { self.poll = poll }

    /// Notes a socket that was opened for a connection.
    func noteOpened(_ socket: Int32) {
        while entries.count <= socket { entries.append(nil) }
        entries[Int(socket)] = Entry()
    }

    /// Closes a socket that was opened for a connection.
    func close(_ socket: Int32) {
        // A process that is just being started may hold a copy, which would keep the registration.
        if let entry = entry(of: socket), !entry.watched.isEmpty { poll.remove(socket) }
        if entries.indices.contains(Int(socket)) { entries[Int(socket)] = nil }
        _ = Glibc.close(socket)
    }

    /// Sets what libcurl listens for on a socket.
    func listen(on socket: Int32, for wanted: EventPoll.Readiness, owner: UInt32) {
        guard let entry = entry(of: socket) else { return listenUnregistered(on: socket, for: wanted, owner: owner) }
        entries[Int(socket)]?.wanted = wanted
        if entry.watched == wanted || wanted.isEmpty && entry.watched == .input { return }
        if wanted.isEmpty {
            poll.remove(socket)
        } else if entry.watched.isEmpty {
            poll.add(socket, for: wanted, owner: owner)
        } else {
            poll.change(socket, to: wanted, owner: owner)
        }
        entries[Int(socket)]?.watched = wanted
    }

    /// Waits for what libcurl listens for; see `EventPoll.wait`.
    func wait(timeout: Duration?, _ body: (_ owner: UInt32, _ socket: Int32, _ ready: EventPoll.Readiness) -> Void) {
        poll.wait(timeout: timeout) { owner, socket, ready in
            if let entry = entry(of: socket), entry.wanted.isEmpty {
                // Level-triggered, it would be reported again and again.
                if !entry.watched.isEmpty { poll.remove(socket) }
                entries[Int(socket)]?.watched = []
            } else {
                body(owner, socket, ready)
            }
        }
    }

    private func entry(of socket: Int32) -> Entry? {
        entries.indices.contains(Int(socket)) ? entries[Int(socket)] : nil
    }

    private func listenUnregistered(on socket: Int32, for wanted: EventPoll.Readiness, owner: UInt32) {
        if wanted.isEmpty {
            poll.remove(socket)
        } else if !poll.change(socket, to: wanted, owner: owner) {
            poll.add(socket, for: wanted, owner: owner)
        }
    }
}
