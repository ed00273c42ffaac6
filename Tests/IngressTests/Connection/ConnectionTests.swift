import TestSupport
import Testing

@testable import Ingress

/// A client's connection, as a waiting request sees it.
struct ConnectionTests {
    @Test func `a watch is told once that the client went`() {
        let connection = Connection()
        let told = Counter()
        #expect(connection.watch { _ in told.add(1) })
        connection.close()
        connection.close()
        #expect(told.value == 1)
    }

    @Test func `a watch is told what of the present answer was handed over`() {
        let connection = Connection()
        let told = Counter()
        let first = connection.beginAnswer()
        connection.handOver(5, of: first)
        let second = connection.beginAnswer()
        // The socket says late that it has taken the end of the first answer.
        connection.handOver(7, of: first)
        connection.handOver(2, of: second)
        #expect(connection.watch { told.add($0) })
        connection.close()
        #expect(told.value == 2)
    }

    @Test func `after the answer none is told`() {
        let connection = Connection()
        let told = Counter()
        #expect(connection.watch { _ in told.add(1) })
        connection.unwatch()
        connection.close()
        #expect(told.value == 0)
    }

    @Test func `on a closed connection nothing is begun`() {
        let connection = Connection()
        connection.close()
        let told = Counter()
        #expect(!connection.watch { _ in told.add(1) })
        #expect(told.value == 0, "who asks is told by the result")
    }
}
