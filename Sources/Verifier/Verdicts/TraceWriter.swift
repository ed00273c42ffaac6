package import Common
internal import JSON

/// Writes the answer of `/traces` piece by piece: `{"project_id","total_traces","traces":[{id, name, user_id,
/// session_id, tags[], timestamp, input, output, metadata, model, usage, finish_reason, finish_reasons[],
/// observations:[{id, type, name, start_time, end_time, input, output, parent_observation_id, model, usage,
/// finish_reason, finish_reasons[]}], scores:[{id, name, value, data_type, source, comment, metadata, config_id,
/// observation_id, timestamp}]}]}`. From `model` to `finish_reasons` the members are the gateway's own, and `scores`
/// too; the others are the reference's.
///
/// The number stands in front of the traces because it is settled before the first of them is read: which ids are meant
/// is known, and a trace that cannot be read breaks the answer off instead of making the number wrong.
package struct TraceWriter: Sendable {
    private let members: TraceMembers
    private var isFirst = true

    package init(members: TraceMembers) { self.members = members }

    /// The text before the traces: the answer without any, up to the end of its list.
    package func head(project: String, total: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project_id", project)
            writer.member("total_traces", total)
            writer.member("traces") { $0.array { _ in } }
        }
        return Array(writer.bytes.dropLast(tail.count))
    }

    /// The text behind them.
    package var tail: [UInt8] { Array("]}".utf8) }

    /// Appends a trace, and a comma behind another one: `out` may have been sent in between.
    package mutating func append(_ row: FetchedTrace, to out: inout [UInt8]) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        JSONWriter.append(to: &out) { $0.object { write(row, to: &$0) } }
    }

    private func write(_ row: FetchedTrace, to writer: inout JSONWriter) {
        writer.member("id", row.head.traceID)
        if members.contains(.name) { writer.member("name", row.head.name) }
        if members.contains(.userID) { writer.member("user_id", row.head.userID) }
        if members.contains(.sessionID) { writer.member("session_id", row.head.sessionID) }
        if members.contains(.tags) { writer.member("tags") { $0.array(row.head.tags) { $0.string($1) } } }
        if members.contains(.timestamp) { writer.member("timestamp", row.head.timestamp) }
        if members.contains(.input) { writer.member("input", raw: row.body?.input) }
        if members.contains(.output) { writer.member("output", raw: row.body?.output) }
        if members.contains(.metadata) { writer.member("metadata", raw: row.body?.metadata) }
        writeGeneration(row.body?.generation, others: row.body?.finishReasons ?? [], members: members, to: &writer)
        if members.contains(.observations) {
            writer.member("observations") { $0.array(row.body?.observations ?? []) { write($1, to: &$0) } }
        }
        guard members.contains(.scores) else { return }
        writer.member("scores") { writer in
            // Nil: the store cannot tell them.
            guard let scores = row.scores else { return writer.raw("null") }
            writer.array(scores) { write($1, to: &$0) }
        }
    }

    /// - Parameter others: why the choices ended, if the step does not say it.
    private func writeGeneration(
        _ step: TraceBody.Observation?, others: [String], members: TraceMembers, to writer: inout JSONWriter
    ) {
        let reasons = step.map(\.finishReasons).flatMap { $0.isEmpty ? nil : $0 } ?? others
        if members.contains(.model) { writer.member("model", step?.model) }
        if members.contains(.usage) { writer.member("usage", raw: step?.usage) }
        guard members.contains(.finishReasons) else { return }
        writer.member("finish_reason", reasons.first)
        writer.member("finish_reasons") { $0.array(reasons) { $0.string($1) } }
    }

    private func write(_ score: TraceScore, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", raw: score.id)
            writer.member("name", raw: score.name)
            writer.member("value", raw: score.value)
            writer.member("data_type", raw: score.dataType)
            writer.member("source", raw: score.source)
            writer.member("comment", raw: score.comment)
            writer.member("metadata", raw: score.metadata)
            writer.member("config_id", raw: score.configID)
            writer.member("observation_id", raw: score.observationID)
            writer.member("timestamp", raw: score.timestamp)
        }
    }

    private func write(_ observation: TraceBody.Observation, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", raw: observation.id)
            writer.member("type", raw: observation.type)
            writer.member("name", raw: observation.name)
            writer.member("start_time", raw: observation.startTime)
            writer.member("end_time", raw: observation.endTime)
            writer.member("input", raw: observation.input)
            writer.member("output", raw: observation.output)
            writer.member("parent_observation_id", raw: observation.parentID)
            writeGeneration(observation, others: [], members: .generation, to: &writer)
        }
    }
}
