internal import CCurl

/// The kept connections of a loop: a multi handle for each idle age. Stays on its loop's thread.
///
/// A call that looks for a connection has libcurl close all idle ones of its multi handle that are older than its own
/// age. Beside each other, calls with a short age would cost those with a long one their connections.
final class CurlPools {
    private let configuration: CurlConfiguration
    private let sockets: SocketRegistry
    private var pools: [CurlMulti] = []
    /// The place in `pools` of the one of an age. Ages are the operator's, so they are few.
    private var places: [Int: Int] = [:]

    /// - Throws: `unavailable` when libcurl has no memory to begin with.
    init(_ configuration: CurlConfiguration, sockets: SocketRegistry) throws(UpstreamError) {
        self.configuration = configuration
        self.sockets = sockets
        _ = try pool(for: ConnectionUse())
    }

    /// The pool of the calls that use connections in this way.
    func pool(for use: ConnectionUse) throws(UpstreamError) -> CurlMulti {
        if let place = places[use.idleSeconds] { return pools[place] }
        let pool = try CurlMulti(configuration, sockets: sockets, number: UInt32(pools.count))
        places[use.idleSeconds] = pools.count
        pools.append(pool)
        return pool
    }

    /// Waits for sockets, at most until `deadline` or libcurl's own, and lets libcurl work on what is ready.
    func turn(mayBlock: Bool, until deadline: ContinuousClock.Instant?) {
        var next = deadline
        for pool in pools {
            if let timer = pool.timer { next = min(timer, next ?? timer) }
        }
        let timeout = mayBlock ? next.map { ContinuousClock.now.duration(to: $0) } : .zero
        sockets.wait(timeout: timeout) { owner, socket, ready in
            pools[Int(owner)].act(on: socket, ready)
        }
        actOnTime()
    }

    /// Lets libcurl do what it wanted to do by now, such as to send what was just begun.
    func actOnTime() {
        for pool in pools { pool.actOnTime() }
    }

    /// The next transfer that has ended, with libcurl's verdict.
    func nextEnded() -> (transfer: CurlTransfer, code: CURLcode)? {
        for pool in pools { if let ended = pool.nextEnded() { return ended } }
        return nil
    }
}
