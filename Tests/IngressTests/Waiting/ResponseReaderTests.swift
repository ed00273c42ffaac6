import Testing

@testable import Ingress

@Suite struct ResponseReaderTests {
    /// Others can write to Redis: an id may be the largest that it knows, or none.
    @Test(arguments: [
        ("1763812345678-0", "1763812345678-1"), ("5-18446744073709551614", "5-18446744073709551615"),
        ("5-18446744073709551615", "5-18446744073709551615"), ("", ""), ("x", "x"), ("1-x", "1-x"),
    ])
    func trimsBehindWhatWasRead(id: String, next: String) {
        #expect(ResponseReader.after(id) == next)
    }
}
