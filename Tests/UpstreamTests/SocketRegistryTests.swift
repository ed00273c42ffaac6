import Glibc
import Testing

@testable import Upstream

/// Which sockets are reported to libcurl, and how often.
@Suite(.timeLimit(.minutes(5))) struct SocketRegistryTests {
    private static let short = Duration.milliseconds(30)

    /// A registry, and one end of a pair of sockets that it watches.
    private final class Bench {
        let sockets: SocketRegistry
        let own: Int32
        let peer: Int32

        /// - Parameter number: The watched end's descriptor; nil for the one that the system gives.
        init(number: Int32? = nil) throws {
            sockets = SocketRegistry(try EventPoll())
            let (own, peer) = try Self.pair()
            self.peer = peer
            self.own = number ?? own
            if let number {
                try #require(dup2(own, number) == number)
                Glibc.close(own)
            }
            sockets.noteOpened(self.own)
        }

        deinit { Glibc.close(peer) }

        static func pair() throws -> (Int32, Int32) {
            var pair: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            return (pair[0], pair[1])
        }

        func send(_ count: Int = 1) { #expect(write(peer, Array(repeating: 1, count: count), count) == count) }

        func listen(for wanted: EventPoll.Readiness) { sockets.listen(on: own, for: wanted, owner: 7) }

        /// What is reported within a short time; an empty list if the wait was ended by something that is not.
        func reports() -> [EventPoll.Readiness] {
            var reports: [EventPoll.Readiness] = []
            sockets.wait(timeout: SocketRegistryTests.short) { owner, socket, ready in
                #expect(owner == 7)
                #expect(socket == own)
                reports.append(ready)
            }
            return reports
        }

        func waits() -> Bool {
            let start = ContinuousClock.now
            #expect(reports() == [])
            return start.duration(to: .now) >= SocketRegistryTests.short
        }
    }

    @Test func `a socket that is listened to again is reported again`() throws {
        let bench = try Bench()
        for _ in 0..<3 {
            bench.listen(for: .input)
            #expect(bench.waits())
            bench.send()
            #expect(bench.reports() == [.input])
            #expect(bench.reports() == [.input], "as long as it is not read")
            var byte: UInt8 = 0
            #expect(read(bench.own, &byte, 1) == 1)
            bench.listen(for: [])
        }
        bench.sockets.close(bench.own)
    }

    @Test(arguments: [true, false])
    func `what comes unasked ends one wait at most, and is reported to who listens next`(isClosed: Bool) throws {
        let bench = try Bench()
        bench.listen(for: .input)
        bench.listen(for: [])
        if isClosed { #expect(shutdown(bench.peer, Int32(SHUT_RDWR)) == 0) } else { bench.send() }
        #expect(bench.reports() == [])
        #expect(bench.waits())
        bench.listen(for: .input)
        #expect(bench.reports().first?.contains(.input) == true)
        bench.sockets.close(bench.own)
    }

    @Test func `room to write is reported only while it is wanted`() throws {
        let bench = try Bench()
        bench.listen(for: [.input, .output])
        #expect(bench.reports() == [.output])
        bench.listen(for: .input)
        #expect(bench.waits())
        bench.listen(for: .output)
        bench.send()
        #expect(bench.reports() == [.output])
        bench.listen(for: [])
        #expect(bench.waits())
        bench.sockets.close(bench.own)
    }

    /// The system gives the next socket the lowest number that is free. The tests beside this one open sockets too, so
    /// this one's have a number by hand that is higher than theirs.
    @Test func `a new socket with the number of a closed one is watched`() throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let number = Int32(min(limit.rlim_cur, 1 << 16)) - 1
        let bench = try Bench(number: number)
        bench.listen(for: .input)
        bench.sockets.close(number)
        let (own, peer) = try Bench.pair()
        try #require(dup2(own, number) == number)
        bench.sockets.noteOpened(number)
        bench.listen(for: .input)
        #expect(bench.waits())
        #expect(write(peer, [1], 1) == 1)
        #expect(bench.reports() == [.input])
        bench.sockets.close(number)
        Glibc.close(own)
        Glibc.close(peer)
    }

    /// libcurl's resolver opens and closes sockets of its own, without a word.
    @Test func `a socket that was not opened here is removed when it is not listened to`() throws {
        let bench = try Bench()
        let (own, peer) = try Bench.pair()
        for _ in 0..<2 {
            bench.sockets.listen(on: own, for: .input, owner: 3)
            #expect(write(peer, [1], 1) == 1)
            var reported = 0
            bench.sockets.wait(timeout: Self.short) { owner, socket, _ in
                reported += owner == 3 && socket == own ? 1 : 0
            }
            #expect(reported == 1)
            bench.sockets.listen(on: own, for: [], owner: 3)
            #expect(bench.waits())
        }
        bench.sockets.close(bench.own)
        Glibc.close(own)
        Glibc.close(peer)
    }
}
