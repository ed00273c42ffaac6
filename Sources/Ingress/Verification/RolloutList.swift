internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Redis

/// `GET /rollouts`: a project's rollouts, the one with the latest completion first.
///
/// `{"project_id","rollouts":[{"rollout_id","invocation_id","experiment_id","run_id","last_completion_at","expected","failed","verdict"}]}`;
/// `verdict` is null where none holds.
struct RolloutList: Sendable {
    private static let page = 500
    private static let limit = 100
    private static let mostListed = 1000
    private static let tags = ["rollout_id", "invocation_id", "experiment_id", "run_id"]

    let redis: RedisClient
    let keySpace: KeySpace

    func response(to request: Request, project: String) async throws -> Response {
        let items = try QueryItems(request.uri.query)
        let limit = try items.integer("limit", in: 1...Self.mostListed) ?? Self.limit
        let wanted = try items.values("tag").map(Self.tag)
        let prefix = items.value("prefix") ?? ""
        var listed: [Listed] = []
        var start = 0
        do {
            while listed.count < limit {
                let (rollouts, isLast) = try await rollouts(of: project, from: start, startingWith: prefix)
                let found = rollouts.filter { rollout in wanted.allSatisfy { rollout.ids[$0.name] == $0.value } }
                listed += found.prefix(limit - listed.count)
                start += Self.page
                guard !isLast else { break }
            }
        } catch { throw GatewayError.queueUnavailable(error) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project_id", project)
            writer.member("rollouts") { $0.array(listed) { $1.write(to: &$0) } }
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }

    /// - Returns: those of a page whose ids begin so, and whether there is no page behind it.
    private func rollouts(
        of project: String, from start: Int, startingWith prefix: String
    ) async throws(RedisError) -> (rollouts: [Listed], isLast: Bool) {
        let named = try await redis.send(
            RedisCommand("ZREVRANGE", Keys.rollouts(project: project), start, start + Self.page - 1, "WITHSCORES"))
        var listed: [Listed] = []
        let pairs = named.array ?? []
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            guard let name = pairs[index].string, name.hasPrefix(prefix) else { continue }
            // A score may be anything, infinite too, if another program wrote it.
            let score = Double(pairs[index + 1].string ?? "").flatMap { UInt64(exactly: $0.rounded(.towardZero)) }
            listed.append(Listed(name, at: Timestamp(milliseconds: score ?? 0)))
        }
        let isLast = pairs.count < 2 * Self.page
        guard !listed.isEmpty else { return ([], isLast) }
        let keys = listed.map { keySpace.keys(of: Rollout($0.name, project: project)) }
        let replies = try await redis.send(
            batch: keys.flatMap { keys in
                [
                    RedisCommand("HMGET", keys.record, "invocation_id", "experiment_id", "run_id", "failed"),
                    RedisCommand("SCARD", keys.set),
                    RedisCommand("HMGET", keys.verdict, "verdict", "until", "expected"),
                ]
            })
        for index in listed.indices {
            let record = try replies[3 * index].get()
            for (place, name) in ["invocation_id", "experiment_id", "run_id"].enumerated() {
                listed[index].ids[name] = record[place].string
            }
            listed[index].failed = record[3].int ?? 0
            // Where something else has the rollout's name by now there is nothing to count.
            listed[index].expected = (try? replies[3 * index + 1].get())?.int ?? 0
            let verdict = try? replies[3 * index + 2].get()
            // One that was good for a moment only is none.
            let now = Timestamp.now
            let isOver = verdict?[1].int.map { !Verdict.holds(until: Timestamp(clamping: $0), now: now) } ?? false
            listed[index].verdict = isOver ? nil : verdict?[0].string
            // Redis has lost ids since then.
            if listed[index].verdict == Verdict.Kind.complete.rawValue, listed[index].expected < verdict?[2].int ?? 0 {
                listed[index].verdict = nil
            }
        }
        return (listed, isLast)
    }

    private static func tag(_ text: String) throws(GatewayError) -> (name: String, value: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, tags.contains(parts[0]) else {
            throw .invalidQuery(
                "tag", "must be one of \(tags.joined(separator: ", ")) with its value, such as ?tag=run_id:nightly")
        }
        return (parts[0], parts[1])
    }
}

extension RolloutList {
    /// One rollout as it is listed.
    private struct Listed {
        let name: String
        /// The time at which its last completion was queued.
        let at: Timestamp
        var ids: [UTF8Text: String]
        var expected = 0
        var failed = 0
        var verdict: String?

        init(_ name: String, at: Timestamp) {
            self.name = name
            self.at = at
            ids = ["rollout_id": name]
        }

        func write(to writer: inout JSONWriter) {
            writer.object { writer in
                for tag in RolloutList.tags { writer.member(tag, ids[tag]) }
                writer.member("last_completion_at", at.iso8601)
                writer.member("expected", expected)
                writer.member("failed", failed)
                writer.member("verdict", verdict)
            }
        }
    }
}
