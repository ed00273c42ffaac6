import NIOConcurrencyHelpers
import Testing

@testable import Ingress

/// An answer's outcome is said once, whoever says it.
@Suite struct DeliveryOutcomeTests {
    private let said = NIOLockedValueBox<[String]>([])

    private func outcome() -> DeliveryOutcome {
        DeliveryOutcome(
            finished: { [said] in said.withLockedValue { $0.append("finished") } },
            abandoned: { [said] in said.withLockedValue { $0.append("abandoned") } })
    }

    @Test func `the first word counts`() {
        let outcome = outcome()
        outcome.finished()
        outcome.abandoned()
        outcome.finished()
        #expect(said.withLockedValue { $0 } == ["finished"])
    }

    @Test func `a body that is never asked for is abandoned`() {
        _ = outcome()
        #expect(said.withLockedValue { $0 } == ["abandoned"])
    }
}
