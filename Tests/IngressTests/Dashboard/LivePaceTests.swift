import Testing

@testable import Ingress

/// How often an open page is made anew.
@Suite struct LivePaceTests {
    @Test(
        arguments: [
            (5, .milliseconds(1), .seconds(5)), (5, .milliseconds(25), .seconds(5)),
            (5, .milliseconds(65), .seconds(13)),
            (15, .milliseconds(330), .seconds(66)), (3, .seconds(10), LivePace.longest), (3, .zero, .seconds(3)),
            (300, .seconds(10), .seconds(300)),
        ] as [(Int, Duration, Duration)])
    func `a page rests two hundred times as long as it took`(wanted: Int, turn: Duration, rest: Duration) {
        #expect(LivePace.rest(.seconds(wanted), after: turn) == rest)
    }
}
