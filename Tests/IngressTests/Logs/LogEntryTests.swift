import Common
import JSON
import Testing

@testable import Ingress

struct LogEntryTests {
    private static func entry(_ text: String) throws -> LogEntry { try LogEntry(Array(text.utf8), maximumDepth: 8) }

    private static func shown(_ entry: LogEntry) -> String {
        var writer = JSONWriter()
        entry.write(to: &writer, time: "T")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `what was sent is shown to the byte`() throws {
        let status = #"{"code":100,"x":1.0e3}"#
        let extras = #"{"level":"WARNING","n":1.50}"#
        let entry = try Self.entry(
            #"{"tags":["rollout_id:r1","run_id:\u00e9"],"message":"a\u0001b\/","status":\#(status),"extras":\#(extras),"program":"p"}"#
        )
        let shown = Self.shown(entry)
        let tags = #"["rollout_id:r1","run_id:é"]"#
        #expect(
            shown
                == #"{"timestamp":"T","message":"a\u0001b\/","severity":"WARNING","tags":\#(tags),"status":\#(status),"extras":\#(extras)}"#
        )
        #expect(
            String(decoding: LogEntry.statusJSON(of: "r\"1", entry), as: UTF8.self)
                == #"{"rollout_id":"r\"1","status":\#(status),"extras":\#(extras)}"#)
        #expect(entry.rollouts == ["r1"] && entry.program == "p" && entry.tellsStatus)
    }

    @Test(arguments: [
        #"{"tags":["rollout_id:r1"]}"#,
        #"{"tags":["rollout_id:r1"],"message":null,"status":null,"extras":null,"program":null}"#,
    ])
    func `what is not said is null`(text: String) throws {
        let entry = try Self.entry(text)
        #expect(!entry.tellsStatus && entry.program == nil)
        let shown = Self.shown(entry)
        #expect(
            shown
                == #"{"timestamp":"T","message":"","severity":"INFO","tags":["rollout_id:r1"],"status":null,"extras":null}"#
        )
    }

    /// Only a status with a number for its code says what state a rollout is in.
    @Test(arguments: [
        ("{}", false), (#"{"code":null}"#, false), (#"{"code":"5"}"#, false), (#"{"code":5}"#, true),
        (#"{"message":"x","code":0}"#, true),
    ])
    func `a status needs a code`(status: String, tells: Bool) throws {
        #expect(try Self.entry(#"{"tags":["rollout_id:r1"],"status":\#(status)}"#).tellsStatus == tells)
    }

    @Test func `a group's entry belongs to each of its rollouts once`() throws {
        #expect(try Self.entry(#"{"tags":["rollout_id:b","x","rollout_id:a","rollout_id:b"]}"#).rollouts == ["b", "a"])
    }

    @Test(arguments: [
        ("", "empty_body"), ("[]", "json_not_an_object"), ("{", "invalid_json"),
        (#"{"tags":[],"tags":[]}"#, "duplicate_key"),
        (#"{"tags":["rollout_id:r"],"extras":{"a":1,"a":2}}"#, "duplicate_key"),
        (#"{"tags":["rollout_id:r"],"extras":[[[[[[[[[]]]]]]]]]}"#, "json_too_deep"), ("{}", "missing_rollout_id"),
        (#"{"tags":["run_id:r"]}"#, "missing_rollout_id"), (#"{"tags":"rollout_id:r"}"#, "invalid_type"),
        (#"{"tags":[1]}"#, "invalid_tags"), (#"{"tags":["rollout_id:"]}"#, "invalid_tags"),
        (#"{"tags":["rollout_id:a/b"]}"#, "invalid_tags"),
        (#"{"tags":["rollout_id:a\nb"]}"#, "invalid_tags"), (#"{"tags":["rollout_id:.."]}"#, "invalid_tags"),
        (#"{"tags":["rollout_id:r"],"message":1}"#, "invalid_type"),
        (#"{"tags":["rollout_id:r"],"status":1}"#, "invalid_type"),
        (#"{"tags":["rollout_id:r"],"extras":[]}"#, "invalid_type"),
        (#"{"tags":["rollout_id:r"],"program":{}}"#, "invalid_type"),
    ])
    func `what is no entry is refused`(text: String, code: String) {
        let error = #expect(throws: GatewayError.self) { try Self.entry(text) }
        #expect(error?.status == 400 && error?.code == code, "\(error.map { "\($0)" } ?? "taken")")
    }

    @Test func `tags are bounded`() throws {
        func tags(_ count: Int) -> String {
            #"{"tags":[\#((0..<count).map { #""rollout_id:\#($0)""# }.joined(separator: ","))]}"#
        }
        #expect(try Self.entry(tags(LogEntry.tagLimit)).rollouts.count == LogEntry.tagLimit)
        #expect(throws: GatewayError.self) { try Self.entry(tags(LogEntry.tagLimit + 1)) }
        #expect(throws: GatewayError.self) {
            try Self.entry(#"{"tags":["rollout_id:\#(String(repeating: "x", count: 129))"]}"#)
        }
    }
}
