import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common
@testable import Queue

@Suite(.timeLimit(.minutes(5))) struct CallControlTests {
    @Test func `the first reason stands`() {
        let control = CallControl()
        #expect(control.stop == nil)
        control.end(.cancelled)
        control.end(.released)
        #expect(control.stop == .cancelled)
    }

    @Test(arguments: [true, false]) func `tells of its end`(_ endsFirst: Bool) {
        let control = CallControl()
        let cancelled = Counter()
        if endsFirst { control.end(.cancelled) }
        control.onEnd { cancelled.add() }
        #expect(cancelled.value == (endsFirst ? 1 : 0))
        if !endsFirst { control.end(.released) }
        #expect(cancelled.value == 1)
    }

    @Test func `waits for credit`() async {
        let control = CallControl()
        let order = NIOLockedValueBox<[String]>([])
        await withTaskGroup { group in
            group.addTask {
                await control.waitForCredit(100, atMost: .seconds(60))
                order.withLockedValue { $0.append("went on") }
            }
            group.addTask {
                control.credit(40)
                control.credit(99)
                order.withLockedValue { $0.append("credited") }
                control.credit(100)
            }
        }
        #expect(order.withLockedValue { $0 } == ["credited", "went on"])
        // News of the past changes nothing; what was taken stays taken.
        control.credit(1)
        await control.waitForCredit(100, atMost: .seconds(60))
        await control.waitForCredit(0, atMost: .seconds(60))
        await control.waitForCredit(-1, atMost: .seconds(60))
    }

    @Test func `an ended call waits for nothing`() async {
        let control = CallControl()
        await withTaskGroup { group in
            group.addTask { await control.waitForCredit(100, atMost: .seconds(60)) }
            group.addTask { control.end(.cancelled) }
        }
        await control.waitForCredit(1000, atMost: .seconds(60))
    }

    /// A reader whose ingress died says nothing more. The wait is bounded, or its slot is lost for ever.
    @Test(arguments: [Duration.milliseconds(10), .zero, .seconds(-1)]) func `does not wait for a dead reader`(
        _ limit: Duration
    ) async {
        let control = CallControl()
        await control.waitForCredit(100, atMost: limit)
        #expect(control.stop == nil)
    }
}
