import Common
import TestSupport
import Testing

/// Whether all that was asked, recorded and answered agrees (architecture §2.1, §2.7, §2.10).
struct RedisFaultLedger {
    /// A rollout's set and the job stream at one moment.
    struct Snapshot: Sendable {
        var recorded: Set<String>
        var queued: Set<String>
    }

    let outcomes: [RedisFaultLoad.Outcome]
    /// How often each completion was asked of the provider, and which it answered to the end.
    let calls: [String: Int]
    let served: Set<String>

    init(_ outcomes: [RedisFaultLoad.Outcome], _ provider: CountingProvider) {
        self.outcomes = outcomes
        calls = provider.calls
        served = provider.served
    }

    private var succeeded: Set<String> { Set(outcomes.lazy.filter(\.succeeded).map(\.id)) }

    /// Each call was refused within a second because Redis was away. On a busy machine a client may wait for its own
    /// share of the processor, so single ones may hear of it later.
    static func expectRefusals(_ refused: [RedisFaultLoad.Outcome]) {
        for outcome in refused {
            #expect(outcome.status == 503 && outcome.code == "queue_unavailable", "\(outcome)")
            #expect(outcome.time < .seconds(5), "\(outcome)")
        }
        let times = refused.map(\.time).sorted()
        if !times.isEmpty { #expect(times[times.count / 2] < .seconds(1), "\(times)") }
    }

    /// Each call was answered, or was refused within a second because Redis was away; nothing else became of any.
    func expectOnlySuccessesAndRefusals() {
        Self.expectRefusals(outcomes.filter { !$0.succeeded })
        #expect(Set(outcomes.map(\.id)).count == outcomes.count, "each call has an id of its own")
        #expect(!succeeded.isEmpty)
    }

    func expectOnlySuccesses() {
        for outcome in outcomes { #expect(outcome.succeeded, "\(outcome)") }
    }

    /// No forwarder died, so no completion was asked for twice.
    func expectNoneCalledTwice() {
        #expect(calls.filter { $0.value > 1 }.isEmpty)
    }

    /// When nothing is queued any longer: every success is recorded, and everything recorded was a success at the
    /// provider. Its client has the answer too, unless the call was refused when Redis fell silent in the middle of the
    /// enqueuing, and had begun before its cancellation arrived.
    /// - Parameter lossy: when an answer may have been given whose record was lost.
    func expectRecorded(_ recorded: Set<String>, lossyWhen lossy: ClosedRange<ContinuousClock.Instant>? = nil) {
        let lost = outcomes.filter {
            $0.succeeded && !recorded.contains($0.id) && lossy?.contains($0.began + $0.time) != true
        }
        #expect(lost.isEmpty, "answered and not recorded")
        #expect(recorded.subtracting(succeeded).subtracting(served).isEmpty, "recorded and never answered")
        #expect(recorded.isSubset(of: Set(outcomes.map(\.id))), "recorded and never asked for")
    }

    /// At the moment of the snapshot each id in the set had a job, or its answer.
    func expectAccounted(_ snapshot: Snapshot) {
        #expect(
            snapshot.recorded.subtracting(snapshot.queued).subtracting(succeeded).subtracting(served).isEmpty,
            "neither job nor answer")
        #expect(snapshot.queued.isSubset(of: snapshot.recorded), "queued and not recorded")
    }
}
