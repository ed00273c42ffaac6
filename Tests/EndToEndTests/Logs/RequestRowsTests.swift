import Common
import FoundationEssentials
import Redis
import Subprocess
import TestSupport
import Testing

/// The request log of real processes: each call leaves one row, with its attempts.
@Suite(.timeLimit(.minutes(5)), .serialized) struct RequestRowsTests {
    /// A row as the query API shows it.
    private struct Row: Decodable {
        var insertionId: String
        var outcome: String
        var status: Int
        var errorCode: String?
        var rolloutId: String?
        var metadata: [String: String]
        var model: String?
        var retries: Int
    }

    private struct Page: Decodable {
        var data: [Row]
        var nextCursor: String?
    }

    /// All rows that pass a filter, page by page.
    private static func rows(_ filter: String = "", port: Int) async throws -> [Row] {
        var (rows, cursor): ([Row], String?) = ([], nil)
        repeat {
            let path = "/v1/logs/requests?limit=50&\(filter)" + (cursor.map { "&cursor=\($0)" } ?? "")
            let answer = try await RolloutTests.get(path, port: port)
            #expect(answer.status == 200, "\(answer.text)")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            let page = try decoder.decode(Page.self, from: Data(answer.body))
            rows += page.data
            cursor = page.nextCursor
        } while cursor != nil
        return rows
    }

    private static func call(
        _ model: String, _ metadata: String? = nil, path: String = ServeTests.path, port: Int
    ) async throws -> HTTPAnswer {
        try await withRawClient(to: port) { client in
            try await client.call(
                "POST", path, headers: metadata.map { [#"X-TFY-METADATA: {"team":"\#($0)"}"#] } ?? [],
                body: ServeTests.body(model))
        }
    }

    private static func id(_ answer: HTTPAnswer) throws -> String { try #require(answer["x-insertion-id"]) }

    /// Every kind of call, in `serve` as a newcomer starts it.
    @Test func `each call leaves one row`() async throws {
        try await ProgramFolder.with { folder in
            let ended = try await folder.serve { _, port in
                var wanted: [String: (outcome: String, status: Int)] = [:]
                for index in 0..<60 {
                    let answer = try await Self.call("mock/echo", index % 2 == 0 ? "red" : "blue", port: port)
                    wanted[try Self.id(answer)] = ("succeeded", 200)
                }
                let failed = try await Self.call("mock/echo?status=500", "red", port: port)
                wanted[try Self.id(failed)] = ("failed", 500)
                let unknown = try await Self.call("nix/x", port: port)
                wanted[try Self.id(unknown)] = ("failed", 400)
                let refused = try await Self.call("", port: port)
                wanted[try Self.id(refused)] = ("refused", 400)
                let untraced = try await Self.call("mock/echo", path: "/v1/chat/completions", port: port)
                wanted[try Self.id(untraced)] = ("succeeded", 200)
                let count = wanted.count
                try await eventually { try await Self.rows(port: port).count >= count }
                let rows = try await Self.rows(port: port)
                #expect(Set(rows.map(\.insertionId)) == Set(wanted.keys) && rows.count == count)
                for row in rows {
                    let end = try #require(wanted[row.insertionId])
                    #expect(row.outcome == end.outcome && row.status == end.status, "\(row)")
                }
                #expect(try await Self.rows("metadata.team=red", port: port).count == 31)
                #expect(try await Self.rows("metadata.team[absent]=true", port: port).count == 3)
                #expect(try await Self.rows("status=5xx", port: port).map(\.outcome) == ["failed"])
                let chart = try await RolloutTests.get(
                    "/v1/metrics/query?measures=requests,errors&group_by=metadata.team", port: port)
                #expect(chart.status == 200 && chart.text.contains("(none)"), "\(chart.text)")
            }
            #expect(ended.code == 0, "\(ended.output)")
        }
    }

    /// Rows wait in Redis while the process dies that keeps the log: none is lost, none is there twice.
    @Test func `a killed process loses no row`() async throws {
        try await ProgramFolder.with { folder in
            var ids: [String] = []
            _ = try await folder.serve { process, port in
                for _ in 0..<40 { ids.append(try Self.id(try await Self.call("mock/echo", port: port))) }
                try process.send(.kill)
            }
            let ended = try await folder.serve { _, port in
                for _ in 0..<5 { ids.append(try Self.id(try await Self.call("mock/echo", port: port))) }
                // What the dead one was given and had not written is taken over after a minute.
                try await eventually(within: .seconds(100)) { try await Self.rows(port: port).count >= ids.count }
                let rows = try await Self.rows(port: port)
                #expect(rows.count == ids.count && Set(rows.map(\.insertionId)) == Set(ids))
            }
            #expect(ended.code == 0, "\(ended.output)")
        }
    }

    /// Where traces go to another server, `tracestore` keeps the log beside: it reads what the exporters send too.
    @Test func `separate parts share one log`() async throws {
        try await TraceRig.run { rig in
            try await rig.store {
                try await rig.parts { port in
                    let before = try await RolloutTests.get("/v1/logs/requests", port: port)
                    #expect(before.status == 503 && before.text.contains("tracestore"), "\(before.text)")
                    let first = try Self.id(try await Self.call("mock/echo", "red", port: port))
                    try await rig.exported(1)
                    let log = try await rig.fleet.process(
                        "tracestore", variables: ["DATA_DIR": "log", "TRACESTORE_PORT": "0"]
                    ) { process in
                        try await process.line(with: "listens on http://")
                        try await eventually {
                            try await rig.fleet.redis.send(RedisCommand("EXISTS", Keys.requests)).int == 1
                        }
                        let second = try Self.id(try await Self.call("mock/echo?status=429", "blue", port: port))
                        let third = try Self.id(
                            try await Self.call("mock/echo", path: "/v1/chat/completions", port: port))
                        try await eventually {
                            let answer = try await RolloutTests.get("/v1/logs/requests", port: port)
                            return answer.status == 200 && answer.text.contains(second) && answer.text.contains(third)
                        }
                        let rows = try await Self.rows(port: port)
                        #expect(Set(rows.map(\.insertionId)).subtracting([first]) == [second, third])
                        #expect(rows.first { $0.insertionId == second }?.metadata == ["team": "blue"])
                        #expect(rows.first { $0.insertionId == second }?.status == 429)
                        try await rig.exported(2)
                        try await eventually { try await rig.fleet.length(Keys.traces(project: "main")) == 0 }
                        #expect(try await rig.fleet.redis.send(RedisCommand("EXISTS", Keys.requestBytes)).int == 0)
                    }
                    #expect(log.code == 0, "\(log.output)")
                }
            }
        }
    }

    @Test func `a log that is off says so`() async throws {
        try await ProgramFolder.with { folder in
            _ = try await folder.serve(environment: ["REQUEST_LOG": "off"]) { _, port in
                #expect(try await Self.call("mock/echo", port: port).status == 200)
                let answer = try await RolloutTests.get("/v1/logs/requests", port: port)
                #expect(answer.status == 404 && answer.text.contains("REQUEST_LOG"), "\(answer.text)")
                try await withRedisClient(folder.redis) { redis in
                    let keys = [Keys.requests, Keys.requestBytes]
                    for key in keys {
                        let count = try await redis.send(RedisCommand("EXISTS", key)).int
                        #expect(count == 0)
                    }
                }
            }
        }
    }
}
