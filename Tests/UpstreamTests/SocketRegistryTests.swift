import Glibc
import Testing

@testable import Upstream

/// Which sockets are reported to libcurl, and how often.
@Suite(.timeLimit(.minutes(5))) struct SocketRegistryTests {
    private static let short = Duration.milliseconds(30)

    /// A registry, and one end of a pair of sockets that it watches.
    private final class Fixture {
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
        let fixture = try Fixture()
        for _ in 0..<3 {
            fixture.listen(for: .input)
            #expect(fixture.waits())
            fixture.send()
            #expect(fixture.reports() == [.input])
            #expect(fixture.reports() == [.input], "as long as it is not read")
            var byte: UInt8 = 0
            #expect(read(fixture.own, &byte, 1) == 1)
            fixture.listen(for: [])
        }
        fixture.sockets.close(fixture.own)
    }

    @Test(arguments: [true, false])
    func `what comes unasked ends one wait at most, and is reported to who listens next`(isClosed: Bool) throws {
        let fixture = try Fixture()
        fixture.listen(for: .input)
        fixture.listen(for: [])
        if isClosed { #expect(shutdown(fixture.peer, Int32(SHUT_RDWR)) == 0) } else { fixture.send() }
        #expect(fixture.reports() == [])
        #expect(fixture.waits())
        fixture.listen(for: .input)
        #expect(fixture.reports().first?.contains(.input) == true)
        fixture.sockets.close(fixture.own)
    }

    @Test func `room to write is reported only while it is wanted`() throws {
        let fixture = try Fixture()
        fixture.listen(for: [.input, .output])
        #expect(fixture.reports() == [.output])
        fixture.listen(for: .input)
        #expect(fixture.waits())
        fixture.listen(for: .output)
        fixture.send()
        #expect(fixture.reports() == [.output])
        fixture.listen(for: [])
        #expect(fixture.waits())
        fixture.sockets.close(fixture.own)
    }

    /// The system gives the next socket the lowest number that is free. The tests beside this one open sockets too, so
    /// this one's have a number by hand that is higher than theirs.
    @Test func `a new socket with the number of a closed one is watched`() throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        let number = Int32(min(limit.rlim_cur, 1 << 16)) - 1
        let fixture = try Fixture(number: number)
        fixture.listen(for: .input)
        fixture.sockets.close(number)
        let (own, peer) = try Fixture.pair()
        try #require(dup2(own, number) == number)
        fixture.sockets.noteOpened(number)
        fixture.listen(for: .input)
        #expect(fixture.waits())
        #expect(write(peer, [1], 1) == 1)
        #expect(fixture.reports() == [.input])
        fixture.sockets.close(number)
        Glibc.close(own)
        Glibc.close(peer)
    }

    /// libcurl's resolver opens and closes sockets of its own, without a word.
    @Test func `a socket that was not opened here is removed when it is not listened to`() throws {
        let fixture = try Fixture()
        let (own, peer) = try Fixture.pair()
        for _ in 0..<2 {
            fixture.sockets.listen(on: own, for: .input, owner: 3)
            #expect(write(peer, [1], 1) == 1)
            var reported = 0
            fixture.sockets.wait(timeout: Self.short) { owner, socket, _ in
                reported += owner == 3 && socket == own ? 1 : 0
            }
            #expect(reported == 1)
            fixture.sockets.listen(on: own, for: [], owner: 3)
            #expect(fixture.waits())
        }
        fixture.sockets.close(fixture.own)
        Glibc.close(own)
        Glibc.close(peer)
    }
}
