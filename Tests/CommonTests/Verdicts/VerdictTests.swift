import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite struct VerdictTests {
    static func verdict(_ kind: Verdict.Kind, reason: String? = nil, at time: Timestamp = 1_763_839_599_120) -> Verdict
    {
        Verdict(
            rollout: Rollout("r\"é", project: "p"), kind: kind, reason: reason, expected: 5,
            traced: kind == .complete ? 5 : 2,
            inFlight: 0, failed: 1,
            missing: kind == .incomplete ? ["a", "b", "c"] : [], checkedAt: time)
    }

    @Test func `the form is fixed`() {
        #expect(
            String(decoding: Self.verdict(.incomplete).json, as: UTF8.self)
                == #"{"rollout_id":"r\"é","project_id":"p","verdict":"incomplete","expected":5,"traced":2,"in_flight":0,"failed":1,"missing":["a","b","c"],"#
                + #""checked_at":"2025-11-22T19:26:39.120Z"}"#)
        #expect(
            String(decoding: Self.verdict(.unknown, reason: "it is \"away\"").json, as: UTF8.self)
                == #"{"rollout_id":"r\"é","project_id":"p","verdict":"unknown","expected":5,"traced":2,"in_flight":0,"failed":1,"missing":[],"#
                + #""reason":"it is \"away\"","checked_at":"2025-11-22T19:26:39.120Z"}"#)
    }

    /// Clients hold tags that earlier versions made.
    @Test func `the tag of a finding is fixed`() {
        #expect(Self.verdict(.incomplete).entityTag == "W/\"57b154c1124b9207562918bb006e5812\"")
    }

    @Test func `the tag is that of the finding not of its time`() {
        let tag = Self.verdict(.complete).entityTag
        #expect(tag == Self.verdict(.complete, at: 5).entityTag && tag != Self.verdict(.incomplete).entityTag)
        #expect(tag.hasPrefix("W/\"") && tag.hasSuffix("\""))
        for known in [tag, String(tag.dropFirst(2)), "\"x\", \(tag)", "*"] {
            #expect(Self.verdict(.complete).isKnown(to: known), "\(known)")
        }
        for unknown in [nil, "", "\"x\"", String(tag.dropLast(4))] {
            #expect(!Self.verdict(.complete).isKnown(to: unknown))
        }
    }

    @Test(arguments: Verdict.Kind.allCases)
    func `comes back from its fields`(_ kind: Verdict.Kind) {
        let verdict = Self.verdict(kind, reason: kind == .unknown ? "why" : nil)
        let values = stride(from: 1, to: verdict.fields.count, by: 2).map {
            RedisValue.bytes(Array(verdict.fields[$0].utf8))
        }
        let read = { (now: Timestamp) in
            Verdict(fields: .array(values), rollout: Rollout("r\"é", project: "p"), now: now)
        }
        #expect(read(verdict.checkedAt) == verdict)
        #expect(read(verdict.checkedAt + 999) == verdict)
        // What is not final holds for a second.
        #expect(read(verdict.checkedAt + 1000) == (kind == .complete ? verdict : nil))
    }

    @Test func `nothing is no verdict`() {
        #expect(
            Verdict(fields: .array(Verdict.fieldNames.map { _ in .null }), rollout: Rollout("r", project: "p"), now: 0)
                == nil)
    }
}
