import Common
import Testing

@testable import Ingress

struct LogQueryTests {
    @Test func `what is not asked for is as the clients have it`() throws {
        let query = try LogQuery("tags=rollout_id%3Ar1")
        #expect(
            query.rollout == "r1" && query.tags == ["rollout_id:r1"] && query.limit == 100 && query.hours == 24
                && query.program == nil)
    }

    /// As Python's `requests` and aiohttp write it.
    @Test func `every parameter is read`() throws {
        let query = try LogQuery("tags=rollout_id%3Ar+1&tags=run_id:a%2Bb&limit=5&hours_back=48&program=eval_protocol")
        #expect(query.rollout == "r 1" && query.tags == ["rollout_id:r 1", "run_id:a+b"])
        #expect(query.limit == 5 && query.hours == 48 && query.program == "eval_protocol")
    }

    @Test(arguments: [
        (nil, "missing_rollout_id"), ("", "missing_rollout_id"), ("tags=", "missing_rollout_id"),
        ("tags=run_id:a", "missing_rollout_id"),
        ("tags=rollout_id:", "invalid_query"), ("tags=rollout_id:a%2Fb", "invalid_query"),
        ("tags=rollout_id:%zz", "invalid_query"),
        ("tags=rollout_id:%FF", "invalid_query"), ("tags=rollout_id:r&limit=0", "invalid_query"),
        ("tags=rollout_id:r&limit=1001", "invalid_query"),
        ("tags=rollout_id:r&limit=x", "invalid_query"), ("tags=rollout_id:r&hours_back=0", "invalid_query"),
        ("tags=rollout_id:r&hours_back=-1", "invalid_query"),
        ("tags=rollout_id:r&hours_back=9999999999999999999", "invalid_query"),
    ])
    func `a wrong query is refused`(query: String?, code: String) {
        let error = #expect(throws: GatewayError.self) { try LogQuery(query) }
        #expect(error?.status == 400 && error?.code == code)
    }

    @Test(arguments: [
        ("tags=rollout_id:r", true), ("tags=rollout_id:r&tags=run_id:1", true),
        ("tags=rollout_id:r&tags=run_id:2", false),
        ("tags=rollout_id:r&program=p", true), ("tags=rollout_id:r&program=q", false),
    ])
    func `an entry is wanted with all its tags and its program`(query: String, isWanted: Bool) throws {
        let entry = try LogEntry(Array(#"{"tags":["rollout_id:r","run_id:1"],"program":"p"}"#.utf8), maximumDepth: 8)
        #expect(try LogQuery(query).wants(entry) == isWanted)
    }

    @Test(arguments: [nil, "", "rollout_id=", "rollout_id=a%2Fb", "rollout=r"]) func `a status needs a rollout`(
        query: String?
    ) throws {
        #expect(throws: GatewayError.self) { try LogQuery.rollout(ofStatus: query) }
        #expect(try LogQuery.rollout(ofStatus: "rollout_id=a%20b") == "a b")
    }
}
