internal import CCurl
internal import Glibc

/// An epoll instance with an eventfd beside it that ends a wait from any thread.
///
/// Cost follows the sockets that have something to say, not those that are open.
final class EventPoll: Sendable {
    /// The readiness of a socket, or that which is wanted of it.
    struct Readiness: OptionSet {
        let rawValue: UInt32
        static let input = Self(rawValue: EPOLLIN.rawValue)
        static let output = Self(rawValue: EPOLLOUT.rawValue)
        /// The socket failed or the peer hung up; always reported.
        static let failure = Self(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    private static let batch = 256
    private let epoll: Int32
    private let wakeup: Int32

    /// - Throws: `unavailable` when the process is out of file descriptors.
    init() throws(UpstreamError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wakeup >= 0 else {
            throw UpstreamError(
                .unavailable,
                "no file descriptors for the upstream loop (errno \(errno)); raise the limit of open files",
                requestMayHaveBeenSent: false)
        }
        // Edge-triggered: each write is an event of its own, so the counter need never be read.
        change(EPOLL_CTL_ADD, wakeup, to: Readiness(rawValue: EPOLLIN.rawValue | EPOLLET.rawValue), owner: 0)
    }

    deinit {
        close(epoll)
        close(wakeup)
    }

    /// Makes the wait that runs, or else the next one, return at once.
    func wake() { eventfd_write(wakeup, 1) }

    /// Begins to watch a socket.
    /// - Parameter owner: a number that comes back with the socket's events.
    func add(_ socket: Int32, for wanted: Readiness, owner: UInt32) {
        change(EPOLL_CTL_ADD, socket, to: wanted, owner: owner)
    }

    /// Changes what a socket is watched for.
    /// - Returns: false if it is not watched.
    @discardableResult
    func change(_ socket: Int32, to wanted: Readiness, owner: UInt32) -> Bool {
        change(EPOLL_CTL_MOD, socket, to: wanted, owner: owner)
    }

    /// Watches a socket no longer.
    func remove(_ socket: Int32) { epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nil) }

    @discardableResult
    private func change(_ operation: Int32, _ socket: Int32, to wanted: Readiness, owner: UInt32) -> Bool {
        let data = epoll_data_t(u64: UInt64(owner) << 32 | UInt64(UInt32(bitPattern: socket)))
        var event = epoll_event(events: wanted.rawValue, data: data)
        return epoll_ctl(epoll, operation, socket, &event) == 0
    }

    /// Waits for events and gives each to `body`.
    ///
    /// - Parameter timeout: nil waits until an event or `wake`. Rounded up to whole milliseconds.
    func wait(timeout: Duration?, _ body: (_ owner: UInt32, _ socket: Int32, _ ready: Readiness) -> Void) {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { events in
            let count = epoll_wait(epoll, events.baseAddress, Int32(Self.batch), timeout?.wholeMilliseconds ?? -1)
            for event in events.prefix(Int(max(0, count))) {
                let socket = Int32(truncatingIfNeeded: event.data.u64)
                if socket == wakeup { continue }
                body(UInt32(truncatingIfNeeded: event.data.u64 >> 32), socket, Readiness(rawValue: event.events))
            }
        }
    }
}

extension Duration {
    /// The duration in milliseconds, rounded up, between 0 and what an `Int32` holds.
    var wholeMilliseconds: Int32 {
        guard self > .zero else { return 0 }
        guard self < .milliseconds(Int32.max) else { return .max }
        let (seconds, attoseconds) = components
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
