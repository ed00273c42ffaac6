import NIOConcurrencyHelpers
import Testing
import Upstream

@testable import Forwarder

@Suite struct RefusedMembersTests {
    private let clock = NIOLockedValueBox(ContinuousClock.now)

    private func memory(limit: Int = 10, life: Duration = .seconds(60)) -> RefusedMembers {
        RefusedMembers(limit: limit, life: life) { [clock] in clock.withLockedValue { $0 } }
    }

    private func target(_ model: String = "m", at url: String = "http://a/v1/chat/completions") -> Target {
        let body = #"{ "model":"m","stream_options":{"include_usage":true},"metadata":{"tags":["a"]} }"#
        return Target(
            provider: "p", model: model, request: UpstreamRequest(method: "POST", url: url, body: Array(body.utf8)),
            addedMembers: ["stream_options", "metadata"], hidesUsage: true)
    }

    @Test func `what was refused is left out and all else stays`() {
        let memory = memory()
        #expect(memory.accepted(target()).bodyText == target().bodyText)
        memory.note(["stream_options"], of: target())
        let changed = memory.accepted(target())
        #expect(changed.bodyText == #"{ "model":"m","metadata":{"tags":["a"]} }"#)
        #expect(changed.addedMembers == ["metadata"] && !changed.hidesUsage)
        memory.note(["metadata"], of: target())
        #expect(memory.accepted(target()).bodyText == #"{ "model":"m" }"#)
    }

    @Test func `it is remembered of that model at that place`() {
        let memory = memory()
        memory.note(["stream_options"], of: target())
        #expect(!memory.accepted(target(at: "http://a/v1/chat/completions?key=1")).hidesUsage)
        for other in [target("n"), target(at: "http://b/v1/chat/completions")] {
            #expect(memory.accepted(other).bodyText == other.bodyText && memory.accepted(other).hidesUsage)
        }
    }

    @Test func `it is forgotten in time`() {
        let memory = memory()
        memory.note(["stream_options"], of: target())
        clock.withLockedValue { $0 += .seconds(59) }
        #expect(!memory.accepted(target()).hidesUsage)
        clock.withLockedValue { $0 += .seconds(1) }
        #expect(memory.accepted(target()).hidesUsage)
        #expect(memory.count == 0)
    }

    @Test func `no more places are remembered than the limit`() {
        let memory = memory(limit: 3)
        for number in 0..<10 {
            memory.note(["stream_options"], of: target("m\(number)"))
            clock.withLockedValue { $0 += .seconds(1) }
        }
        #expect(memory.count == 3)
        #expect(memory.accepted(target("m6")).hidesUsage && !memory.accepted(target("m7")).hidesUsage)
        clock.withLockedValue { $0 += .seconds(100) }
        memory.note(["stream_options"], of: target())
        #expect(memory.count == 1, "those whose time is over make room first")
    }

    @Test func `a life of zero remembers nothing`() {
        let memory = memory(life: .zero)
        memory.note(["stream_options"], of: target())
        #expect(memory.count == 0)
    }
}
