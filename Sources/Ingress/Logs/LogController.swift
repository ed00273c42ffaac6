internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Redis

/// `POST` and `GET /logs`, `GET /status`: a rollout server says how a rollout goes, and its evaluator reads that. The
/// shapes are those that eval-protocol's clients read.
struct LogController: Sendable {
    let store: LogStore
    let watch: RedisWatch
    let maximumJSONDepth: Int
    /// The most bytes of one entry, once for each rollout that it is kept with (`LOG_ENTRY_BYTES`).
    let maximumBytes: Int

    func add(_ call: AdmittedRequest) async throws -> Response {
        try await answer { try await add(call.request, call.project) }
    }

    func entries(_ call: AdmittedRequest) async throws -> Response {
        try await answer { try await entries(call.query, call.project) }
    }

    func status(_ call: AdmittedRequest) async throws -> Response {
        try await answer { try await status(call.query, call.project) }
    }

    private func answer(_ answer: () async throws -> Response) async throws -> Response {
        do {
            if watch.trouble == .otherKey { throw GatewayError.otherKey }
            return try await answer()
        } catch let error as RedisError {
            throw GatewayError.queueUnavailable(error)
        }
    }

    private func add(_ request: Request, _ project: String) async throws -> Response {
        let body = try await request.bytes(upTo: LogEntry.sizeLimit) { limit in
            .invalidRequest(
                413, code: "body_too_large",
                "A log entry has at most \(limit) bytes. Shorten its message or its extras.")
        }
        let entry = try LogEntry(body, maximumDepth: maximumJSONDepth)
        guard entry.keptBytes <= maximumBytes else { throw GatewayError.tooManyCopies(of: entry, maximumBytes) }
        guard try await store.add(entry, project: project) else { throw GatewayError.keepIsFull }
        var writer = JSONWriter()
        writer.object { $0.member("status", "ok") }
        return json(writer.bytes)
    }

    private func entries(_ query: String?, _ project: String) async throws -> Response {
        let query = try LogQuery(query)
        let since = Timestamp.now - .seconds(query.hours * 3600)
        let kept = try await store.entries(of: Rollout(query.rollout, project: project), since: since)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("entries") { $0.array { Self.write(kept, for: query, to: &$0) } }
        }
        return json(writer.bytes)
    }

    /// Writes the entries that a query asks for; one that cannot be read is passed over.
    private static func write(
        _ kept: [(time: Timestamp, bytes: [UInt8])], for query: LogQuery, to writer: inout JSONWriter
    ) {
        var count = 0
        for (time, bytes) in kept where count < query.limit {
            guard let entry = try? LogEntry(bytes, maximumDepth: .max), query.wants(entry) else { continue }
            writer.element { entry.write(to: &$0, time: time.iso8601) }
            count += 1
        }
    }

    private func status(_ query: String?, _ project: String) async throws -> Response {
        let rollout = try LogQuery.rollout(ofStatus: query)
        let entry = try await store.status(of: Rollout(rollout, project: project)).flatMap {
            try? LogEntry($0, maximumDepth: .max)
        }
        return json(LogEntry.statusJSON(of: rollout, entry))
    }

    private func json(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension GatewayError {
    fileprivate static func tooManyCopies(of entry: LogEntry, _ limit: Int) -> GatewayError {
        .invalidRequest(
            code: "too_many_copies",
            "The entry is kept with each rollout that its `tags` name: \(entry.rollouts.count) times "
                + "\(entry.bytes.count) bytes are more than \(limit) (LOG_ENTRY_BYTES). Shorten it, or send it in "
                + "several "
                + "requests that name fewer rollouts each.",
            param: "tags")
    }
}
