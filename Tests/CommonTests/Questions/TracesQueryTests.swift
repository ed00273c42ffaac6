import TestSupport
import Testing

@testable import Common

@Suite struct TracesQueryTests {
    private let now: Timestamp = 1_763_812_345_000

    @Test func `the defaults are those of the reference`() throws {
        let query = try TracesQuery("tags=rollout_id:r", in: "p", now: now)
        #expect(
            query.rollout == Rollout("r", project: "p") && query.limit == 100 && query.sampleSize == nil
                && query.maxRetries == 3
                && query.filter.isOpen)
        #expect(query.members == .all && query.from == nil && query.to == nil)
    }

    @Test func `every parameter is read`() throws {
        let query = try TracesQuery(
            "tags=rollout_id%3Aa%2Bb&tags=row_id:1+2&tags=x&project_id=p&limit=7&sample_size=3&user_id=u&session_id=s&name=n&environment=e&version=v"
                + "&release=l&fields=core,io&hours_back=5&from_timestamp=2025-11-22T10:00:00Z&to_timestamp=2025-11-22T12:00:00%2B01:00"
                + "&sleep_between_gets=0.1&max_retries=5&include_payloads=true", in: "p", now: now)
        #expect(
            query.rollout == Rollout("a+b", project: "p") && query.limit == 7 && query.sampleSize == 3
                && query.maxRetries == 5)
        var filter = TraceFilter()
        filter.tags = ["row_id:1 2", "x"]
        (filter.userID, filter.sessionID, filter.name, filter.environment, filter.version, filter.release) = (
            "u", "s", "n", "e", "v", "l"
        )
        #expect(query.filter == filter)
        #expect(query.members == [.name, .userID, .sessionID, .tags, .timestamp, .input, .output, .metadata])
        #expect(query.from == 1_763_805_600_000 && query.to == 1_763_809_200_000)
    }

    @Test func `hours back counts from now`() throws {
        #expect(try TracesQuery("tags=rollout_id:r&hours_back=2", in: "p", now: now).from == now - 7_200_000)
    }

    /// The parameter is about token payloads: input and output are there in any case.
    @Test(arguments: [
        "true", "false", "True", "False", "1", "0", "yes", "NO", "on", "off", "t", "f", "y", "N", "",
        "true&include_payloads=false",
    ])
    func `payloads are neither input nor output`(_ value: String) throws {
        let query = "tags=rollout_id:r&include_payloads=\(value)"
        #expect(try TracesQuery(query, in: "p", now: now).members == .all)
        #expect(try TracesQuery(query + "&fields=io", in: "p", now: now).members == [.input, .output, .metadata])
    }

    @Test(arguments: [
        ("", "tags"), ("tags=row_id:1", "tags"), ("tags=rollout_id:a&tags=rollout_id:b", "tags"),
        ("tags=rollout_id:gateway%2Fjobs", "tags"),
        ("tags=rollout_id:", "tags"), ("tags=rollout_id:r&limit=0", "limit"), ("tags=rollout_id:r&limit=x", "limit"),
        ("tags=rollout_id:r&sample_size=-1", "sample_size"), ("tags=rollout_id:r&max_retries=21", "max_retries"),
        ("tags=rollout_id:r&sleep_between_gets=-1", "sleep_between_gets"),
        ("tags=rollout_id:r&sleep_between_gets=soon", "sleep_between_gets"),
        ("tags=rollout_id:r&hours_back=1.5", "hours_back"),
        ("tags=rollout_id:r&from_timestamp=yesterday", "from_timestamp"),
        ("tags=rollout_id:r&from_timestamp=2025-01-02&to_timestamp=2025-01-01", "to_timestamp"),
        ("tags=rollout_id:r&fields=core,secrets", "fields"),
        ("tags=rollout_id:r&include_payloads=maybe", "include_payloads"),
        ("tags=rollout_id:r&include_payloads=2", "include_payloads"),
        ("tags=rollout_id:r&include_payloads=tokens", "include_payloads"),
        ("tags=rollout_id:r&project_id=other", "project_id"),
    ])
    func `refuses with the parameters name`(_ query: String, _ param: String) throws {
        let error = #expect(throws: GatewayError.self) { try TracesQuery(query, in: "p", now: now) }
        #expect(error?.status == 400 && error?.param == param, "\(String(describing: error))")
    }

    @Test func `a missing rollout is told with an example`() {
        let error = #expect(throws: GatewayError.self) { try TracesQuery("limit=5", in: "p", now: now) }
        #expect(
            error?.code == "missing_rollout_id" && error?.message.contains("/traces?tags=rollout_id:my-rollout") == true
        )
    }

    @Test(arguments: ["tags=%zz", "tags=rollout_id:%ff"])
    func `bad encoding is refused`(_ query: String) {
        #expect(throws: GatewayError.self) { try TracesQuery(query, in: "p", now: now) }
    }

    @Test func `more parameters than anybody needs are refused`() {
        let many = Array(repeating: "tags=x", count: QueryItems.most).joined(separator: "&")
        #expect(throws: GatewayError.self) { try TracesQuery("tags=rollout_id:r&" + many, in: "p", now: now) }
    }
}
