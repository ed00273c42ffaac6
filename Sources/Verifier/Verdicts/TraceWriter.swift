internal import Common

/// Writes the answer of `/traces` piece by piece:
/// `{"project_id","total_traces","traces":[{id, name, user_id, session_id, tags[], timestamp, input, output, metadata, observations:[{id, type, name,
/// start_time, end_time, input, output, parent_observation_id}]}]}`.
///
/// The number stands in front of the traces because it is settled before the first of them is read: which ids are meant is known, and a trace that cannot be
/// read breaks the answer off instead of making the number wrong.
package struct TraceWriter: Sendable {
    private let members: TraceMembers
    private var isFirst = true

    package init(members: TraceMembers) { self.members = members }

    /// What comes before the traces.
    package func head(project: String, total: Int) -> [UInt8] {
        var out = Array(#"{"project_id":"#.utf8)
        JSONText.append(project, to: &out)
        out.append(contentsOf: #","total_traces":\#(total),"traces":["#.utf8)
        return out
    }

    /// What comes behind them.
    package var tail: [UInt8] { Array("]}".utf8) }

    package mutating func append(_ row: TraceRow, to out: inout [UInt8]) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        out.append(contentsOf: #"{"id":"#.utf8)
        JSONText.append(row.head.traceID, to: &out)
        if members.contains(.name) { add("name", row.head.name, to: &out) }
        if members.contains(.userID) { add("user_id", row.head.userID, to: &out) }
        if members.contains(.sessionID) { add("session_id", row.head.sessionID, to: &out) }
        if members.contains(.tags) { addTags(row.head.tags, to: &out) }
        if members.contains(.timestamp) { add("timestamp", row.head.timestamp, to: &out) }
        if members.contains(.input) { add("input", value: row.body?.input, to: &out) }
        if members.contains(.output) { add("output", value: row.body?.output, to: &out) }
        if members.contains(.metadata) { add("metadata", value: row.body?.metadata, to: &out) }
        if members.contains(.observations) { addObservations(row.body?.observations ?? [], to: &out) }
        out.append(UInt8(ascii: "}"))
    }

    private func addTags(_ tags: [String], to out: inout [UInt8]) {
        out.append(contentsOf: #","tags":["#.utf8)
        for (index, tag) in tags.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(tag, to: &out)
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
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
    }

    private func add(_ name: String, _ text: String?, to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":".utf8)
        if let text { JSONText.append(text, to: &out) } else { out += StoreJSON.null }
    }

    private func add(_ name: String, value: [UInt8]?, to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":".utf8)
        out += value ?? StoreJSON.null
    }
}
