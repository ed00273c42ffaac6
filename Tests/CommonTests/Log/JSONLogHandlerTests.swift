import JSON
import Logging
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Common

struct JSONLogHandlerTests {
    /// What a logger writes in `body`.
    static func lines(_ body: (inout Logger) -> Void) -> [String] {
        let lines = NIOLockedValueBox<[String]>([])
        var logger = Logger(label: "gateway") { label in
            JSONLogHandler(label: label, now: { 1_763_839_599_120 }) { line in
                lines.withLockedValue { $0.append(String(decoding: line, as: UTF8.self)) }
            }
        }
        body(&logger)
        return lines.withLockedValue { $0 }
    }

    @Test func `an event is one line`() {
        let lines = Self.lines {
            $0.notice("a \"quoted\"\nline", metadata: ["project": "main", "insertion_id": "0190", "error": "e\u{7}"])
        }
        #expect(
            lines == [
                #"{"time":"2025-11-22T19:26:39.120Z","level":"notice","logger":"gateway","message":"a \"quoted\"\nline","#
                    + #""error":"e\u0007","insertion_id":"0190","project":"main"}"# + "\n"
            ])
    }

    /// What is known of the whole logger is in each line, and what an event says itself goes before it.
    @Test func `metadata of the logger is in each line`() throws {
        let lines = Self.lines { logger in
            logger[metadataKey: "project"] = "main"
            logger[metadataKey: "rollout_id"] = "r1"
            logger.info("x", metadata: ["project": "other", "list": ["a", ["b": "c"]], "message": "not the message"])
            logger.debug("below the level")
        }
        try #require(lines.count == 1)
        let object = try JSONObject.scan(Array(lines[0].utf8), maximumDepth: 4)
        #expect(object.member("project").flatMap(object.string) == "other")
        #expect(object.member("rollout_id").flatMap(object.string) == "r1")
        #expect(object.member("message").flatMap(object.string) == "x")
        #expect(object.member("_message").flatMap(object.string) == "not the message")
        #expect(lines[0].contains(#""list":["a",{"b":"c"}]"#))
    }
}
