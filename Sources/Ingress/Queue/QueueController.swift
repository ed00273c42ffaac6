internal import Common
internal import JSON
internal import Queue
internal import Redis
internal import Telemetry

/// The work that waits in the gateway: streams with their groups and workers, the figures of `/metrics`, and dead
/// letters.
///
/// Streams are those of all projects together, but for the outbox of traces; a dead letter is seen in its own project.
struct QueueController: Sendable {
    let redis: RedisClient
    let limits: PrometheusPage.Limits
    let letters: DeadLetterController

    /// Answers a question of the dashboard's, whose viewers need not be operators.
    /// - Parameters:
    ///   - path: without `/v1` and project.
    ///   - isOperators: whether the operator asks.
    /// - Returns: an object of JSON; nil if it is none of these paths.
    func answer(
        _ path: String, query: String?, project: String, isOperators: Bool
    ) async throws(GatewayError) -> [UInt8]? {
        switch path {
        case "/queue": return try await state(project)
        case "/queue/dead":
            return try await letters.list(try QueryItems(query), project: project, isOperators: isOperators)
        default: return nil
        }
    }

    func state(_ project: String) async throws(GatewayError) -> [UInt8] {
        let streams: [(name: String, stream: StreamReader.Stream)] = [
            ("completions", .init(.completions)), ("verifications", .init(.verifications)),
            ("queries", .init(.queries)), ("traces", .init(key: Keys.traces(project: project))),
            ("requests", .init(key: Keys.requests)),
        ]
        let states: [StreamState]
        let shared: SharedState
        do throws(RedisError) {
            states = try await StreamReader(redis: redis).states(of: streams.map(\.stream))
            shared = try await SharedState(from: redis)
        } catch { throw .queueUnavailable(error) }
        let figures = shared.figures(limits) + (await RedisMemory(of: redis)?.figures ?? [])
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("figures") { writer in
                writer.object { for (metric, value) in figures { $0.member(metric.name, value) } }
            }
            writer.member("streams") { writer in
                writer.array(zip(streams, states)) { writer, found in
                    writer.object { writer in
                        writer.member("name", found.0.name)
                        found.1.write(to: &writer)
                    }
                }
            }
        }
        return writer.bytes
    }
}

extension StreamState {
    /// Writes the members of an object.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("key", key)
        writer.member("length", length)
        writer.member("age_ms", age.map { Double($0) })
        writer.member("groups") { $0.array(groups) { $1.write(to: &$0) } }
    }
}

extension StreamState.Group {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("lag", lag.map { Double($0) })
            writer.member("pending", pending)
            writer.member("worker_count", workerCount)
            writer.member("workers") { $0.array(workers) { $1.write(to: &$0) } }
        }
    }
}

extension StreamState.Worker {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("pending", pending)
            writer.member("idle_ms", idle)
            if let isAlive { writer.member("is_alive", isAlive) }
        }
    }
}
