import TestSupport
import Testing

@testable import Common

@Suite struct RolloutQueryTests {
    private func parse(
        _ path: String, query: String? = nil, headers: [HeaderField] = []
    ) throws(GatewayError) -> RolloutQuery {
        try RolloutQuery(path: path, query: query, headers: headers, project: "p", now: 1_763_812_345_000)
    }

    private func verdict(
        _ path: String, query: String? = nil, headers: [HeaderField] = []
    ) throws -> VerdictQuery? {
        if case .verdict(let query) = try parse(path, query: query, headers: headers) { query } else { nil }
    }

    private static let events = [HeaderField("Accept", "text/html, Text/Event-Stream")]

    @Test(
        arguments: [
            (nil, [], nil, false), ("wait=0", [], 0, false), ("wait=7", [], 7, false), ("other=1", [], nil, false),
            (nil, events, Verdict.longestWait, true), ("wait=7", events, 7, true), ("wait=", events, 3600, true),
        ] as [(String?, [HeaderField], Int?, Bool)])
    func `a follower waits as long as may be`(
        _ query: String?, _ headers: [HeaderField], _ wait: Int?, _ wantsEvents: Bool
    ) throws {
        let parsed = try #require(try verdict("/rollouts/a%20b", query: query, headers: headers))
        #expect(parsed.rollout == Rollout("a b", project: "p"))
        #expect(parsed.wait == wait && parsed.wantsEvents == wantsEvents && parsed.entityTag == nil)
    }

    @Test func `the entity tag is the client's`() throws {
        let parsed = try verdict("/rollouts/r", query: nil, headers: [HeaderField("if-none-match", #"W/"1", "2""#)])
        #expect(parsed?.entityTag == #"W/"1", "2""#)
    }

    @Test func `a pointwise question is about the newest trace`() throws {
        let query = "tags=rollout_id:r&limit=7"
        guard case .traces(let all) = try parse("/traces", query: query),
            case .traces(let newest) = try parse("/traces/pointwise", query: query)
        else { throw GatewayError.invalidQuery("path", "is read as another question") }
        #expect(all.limit == 7 && newest.limit == 1 && newest.rollout == Rollout("r", project: "p"))
    }

    @Test func `one trace is named by its insertion id`() throws {
        let id = "0197d2c5-5d7a-7000-8000-000000000001"
        guard
            case .trace(let asked, let traces) = try parse(
                RolloutQuery.tracePath, query: "tags=rollout_id:r&fields=io&insertion_id=\(id)")
        else { throw GatewayError.invalidQuery("path", "is read as another question") }
        #expect(asked.description == id && traces.members == [.input, .output, .metadata])
    }

    @Test(
        arguments: [
            ("/rollouts/", nil, 400, "invalid_path"), ("/rollouts/a%2Fb", nil, 400, "invalid_path"),
            ("/rollouts/%ff", nil, 400, "invalid_path"), ("/rollouts/%zz", nil, 400, "invalid_path"),
            ("/rollouts/r", "wait=soon", 400, "invalid_query"), ("/rollouts/r", "wait=3601", 400, "invalid_query"),
            ("/rollouts/r", "wait=-1", 400, "invalid_query"), ("/rollouts/r", "%zz", 400, "invalid_query"),
            ("/traces", nil, 400, "missing_rollout_id"), ("/traces/pointwise", "limit=1", 400, "missing_rollout_id"),
            ("/traces", "tags=rollout_id:r&limit=0", 400, "invalid_query"),
            ("/traces/completion", "tags=rollout_id:r", 400, "invalid_query"),
            ("/traces/completion", "tags=rollout_id:r&insertion_id=7", 400, "invalid_query"),
            ("/trace", nil, 404, "not_found"), ("", nil, 404, "not_found"), ("/rollouts", nil, 404, "not_found"),
        ] as [(String, String?, Int, String)])
    func `a question that cannot be read is refused`(
        _ path: String, _ query: String?, _ status: Int, _ code: String
    ) {
        let error = #expect(throws: GatewayError.self) { try parse(path, query: query) }
        #expect(error?.status == status && error?.code == code, "\(String(describing: error))")
    }
}
