import TestSupport
import Testing

@testable import Ingress

/// A client's connection, as a waiting request sees it.
struct ConnectionTests {
    @Test func aWatchIsToldOnceThatTheClientWent() {
        let connection = Connection()
        let told = Counter()
        #expect(connection.watch { told.add(1) })
        connection.close()
        connection.close()
        #expect(told.value == 1)
    }

    @Test func afterTheAnswerNobodyIsTold() {
        let connection = Connection()
        let told = Counter()
        #expect(connection.watch { told.add(1) })
        connection.unwatch()
        connection.close()
        #expect(told.value == 0)
    }

    @Test func onAClosedConnectionNothingIsBegun() {
        let connection = Connection()
        connection.close()
        let told = Counter()
        #expect(!connection.watch { told.add(1) })
        #expect(told.value == 0, "who asks is told by the result")
    }
}
