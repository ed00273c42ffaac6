internal import Common
internal import JSON

/// The body of `POST /api/public/ingestion`: events of several kinds. Scores are kept; each event of another kind is an
/// error of its own in the answer, so that none is lost silently.
struct EventBatch: Sendable {
    /// An event that is not kept.
    struct Failure: Sendable {
        var id: String
        var status: Int
        var message: String
        var reason: String
    }

    /// Langfuse's kinds of events that are not served: what they write comes by OTLP.
    private static let others: Set<UTF8Text> = [
        "trace-create", "event-create", "span-create", "span-update", "generation-create", "generation-update",
        "agent-create", "tool-create", "chain-create", "retriever-create", "evaluator-create", "embedding-create",
        "guardrail-create", "sdk-log", "dataset-run-item-create", "observation-create", "observation-update",
    ]

    /// The scores with the ids of their events.
    private(set) var scores: [(event: String, score: Score)] = []
    private(set) var failures: [Failure] = []
    /// The kinds of events that are not served and came all the same, each once.
    private(set) var unserved: Set<UTF8Text> = []

    /// - Parameter now: the time at which the body came.
    /// - Throws: 400 for what is not a batch at all.
    init(_ body: [UInt8], now: Timestamp) throws(LangfuseError) {
        let outline = JSONOutline(body)
        let members = outline.flatMap { $0.members(of: $0.whole) } ?? []
        let batches = members.filter { $0.name == "batch" }
        guard let outline, members.allSatisfy({ $0.name != nil }), batches.count == 1,
            let elements = outline.elements(of: batches[0].value)
        else {
            throw .invalidParameter("batch", "must be a list of events, in a JSON object whose names are distinct")
        }
        for element in elements {
            do throws(JSONScanError) {
                // The batch is two levels around the event.
                let depth = EmbeddedJSON.maximumDepth - 2
                add(try JSONObject.scan(body, range: element, maximumDepth: depth), now)
            } catch {
                let reason = "an event must be a JSON object whose names are distinct: \(error.code)"
                failures.append(Self.invalid(Self.id(of: element, outline), reason))
            }
        }
    }

    /// The id of an event that cannot be read otherwise: by it the client knows which one it is.
    private static func id(of event: Range<Int>, _ outline: JSONOutline) -> String {
        let ids = outline.members(of: event)?.filter { $0.name == "id" } ?? []
        return ids.first.flatMap { outline.text(of: $0.value) } ?? "unknown"
    }

    private mutating func add(_ event: JSONObject, _ now: Timestamp) {
        let id = event.text("id") ?? "unknown"
        guard let kind = event.text("type") else {
            return failures.append(Self.invalid(id, "an event must have a type, such as score-create"))
        }
        guard kind == "score-create" else {
            guard Self.others.contains(UTF8Text(kind)) else {
                return failures.append(Self.invalid(id, "no event has the type \"\(kind.prefix(64))\""))
            }
            unserved.insert(UTF8Text(kind))
            return failures.append(
                Failure(
                    id: id, status: 501, message: "Event type not served",
                    reason: "The embedded trace store does not serve the event type \"\(kind)\": it keeps scores that "
                        + "come here, and traces that come over OTLP (/api/public/otel/v1/traces)."))
        }
        guard let time = event.text("timestamp").flatMap(TimeText.milliseconds) else {
            return failures.append(Self.invalid(id, "timestamp must be an ISO 8601 time with an offset"))
        }
        guard let body = event.member("body").flatMap({ try? event.object($0) }) else {
            return failures.append(Self.invalid(id, "body must be a JSON object whose names are distinct"))
        }
        do throws(ScoreBody.Fault) {
            var score = try ScoreBody.score(body, sources: Score.Source.allCases, now: now)
            if body.text("timestamp") == nil { score.timestamp = time }
            scores.append((id, score))
        } catch {
            failures.append(Self.invalid(id, error.sentence))
        }
    }

    private static func invalid(_ id: String, _ reason: String) -> Failure {
        Failure(id: id, status: 400, message: "Invalid request data", reason: reason)
    }

    /// The answer (207) once the scores are stored.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("successes") { writer in
                writer.array(scores) { writer, score in
                    writer.object { writer in
                        writer.member("id", score.event)
                        writer.member("status", 201)
                    }
                }
            }
            writer.member("errors") { writer in
                writer.array(failures) { writer, failure in
                    writer.object { writer in
                        writer.member("id", failure.id)
                        writer.member("status", failure.status)
                        writer.member("message", failure.message)
                        writer.member("error", failure.reason)
                    }
                }
            }
        }
        return writer.bytes
    }
}
