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

    /// The text before the traces.
    package func head(project: String, total: Int) -> [UInt8] {
        var out = Array(#"{"project_id":"#.utf8)
        JSONText.append(project, to: &out)
        out.append(contentsOf: #","total_traces":\#(total),"traces":["#.utf8)
        return out
    }

    /// The text behind them.
    package var tail: [UInt8] { Array("]}".utf8) }

    package mutating func append(_ row: TraceRow, to out: inout [UInt8]) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        out.append(contentsOf: #"{"id":"#.utf8)
        JSONText.append(row.head.traceID, to: &out)
        if members.contains(.name) { add("name", row.head.name, to: &out) }
        if members.contains(.userID) { add("user_id", row.head.userID, to: &out) }
        if members.contains(.sessionID) { add("session_id", row.head.sessionID, to: &out) }
        if members.contains(.tags) { add("tags", row.head.tags, to: &out) }
        if members.contains(.timestamp) { add("timestamp", row.head.timestamp, to: &out) }
        if members.contains(.input) { add("input", value: row.body?.input, to: &out) }
        if members.contains(.output) { add("output", value: row.body?.output, to: &out) }
        if members.contains(.metadata) { add("metadata", value: row.body?.metadata, to: &out) }
        addGeneration(row.body?.generation, row.body?.finishReasons ?? [], members, to: &out)
        if members.contains(.observations) { addObservations(row.body?.observations ?? [], to: &out) }
        if members.contains(.scores) { addScores(row.scores, to: &out) }
        out.append(UInt8(ascii: "}"))
    }

    /// - Parameter others: why the choices ended, if the step does not say it.
    private func addGeneration(
        _ step: TraceBody.Observation?, _ others: [String], _ members: TraceMembers, to out: inout [UInt8]
    ) {
        let reasons = step.map(\.finishReasons).flatMap { $0.isEmpty ? nil : $0 } ?? others
        if members.contains(.model) { add("model", step?.model, to: &out) }
        if members.contains(.usage) { add("usage", value: step?.usage, to: &out) }
        guard members.contains(.finishReasons) else { return }
        add("finish_reason", reasons.first, to: &out)
        add("finish_reasons", reasons, to: &out)
    }

    /// - Parameter scores: nil: the store cannot tell them.
    private func addScores(_ scores: [TraceScore]?, to out: inout [UInt8]) {
        guard let scores else { return add("scores", value: nil, to: &out) }
        out.append(contentsOf: #","scores":["#.utf8)
        for (index, score) in scores.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: #"{"id":"#.utf8)
            out += score.id
            for (name, value) in [
                ("name", score.name), ("value", score.value), ("data_type", score.dataType), ("source", score.source),
                ("comment", score.comment), ("metadata", score.metadata), ("config_id", score.configID),
                ("observation_id", score.observationID), ("timestamp", score.timestamp),
            ] {
                add(name, value: value, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
    }

    private func addObservations(_ observations: [TraceBody.Observation], to out: inout [UInt8]) {
        out.append(contentsOf: #","observations":["#.utf8)
        for (index, observation) in observations.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: #"{"id":"#.utf8)
            out += observation.id
            add("type", value: observation.type, to: &out)
            add("name", value: observation.name, to: &out)
            add("start_time", value: observation.startTime, to: &out)
            add("end_time", value: observation.endTime, to: &out)
            add("input", value: observation.input, to: &out)
            add("output", value: observation.output, to: &out)
            add("parent_observation_id", value: observation.parentID, to: &out)
            addGeneration(observation, [], .generation, to: &out)
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
    }

    private func add(_ name: String, _ text: String?, to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":".utf8)
        if let text { JSONText.append(text, to: &out) } else { out += LangfuseJSON.null }
    }

    private func add(_ name: String, _ texts: [String], to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":[".utf8)
        for (index, text) in texts.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(text, to: &out)
        }
        out.append(UInt8(ascii: "]"))
    }

    private func add(_ name: String, value: [UInt8]?, to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":".utf8)
        out += value ?? LangfuseJSON.null
    }
}
