import Testing

@testable import Ingress

@Suite struct StreamPositionTests {
    private static let end = "18446744073709551615"

    @Test(arguments: [
        ("1763812345678-0", "1763812345678-1"), ("5-18446744073709551614", "5-\(end)"), ("5-\(end)", "6-0"),
        ("\(end)-\(end)", "\(end)-\(end)"),
    ])
    func `the next one is directly behind`(id: String, next: String) {
        #expect(StreamPosition(id)?.next.description == next)
    }

    @Test func `they are ordered as their entries are`() {
        let ids = ["0-0", "0-1", "9-10", "10-9", "10-10"]
        #expect(ids.shuffled().compactMap(StreamPosition.init).sorted().map(\.description) == ids)
    }

    /// Others can write to Redis.
    @Test(arguments: ["", "x", "1", "1-", "-1", "1-x", "1-2-3", "1-\(end)0"]) func `what is no ID is no position`(
        text: String
    ) {
        #expect(StreamPosition(text) == nil)
    }
}
