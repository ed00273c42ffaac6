internal import Common
internal import FoundationEssentials
internal import JSON

/// Reads the body of one score, and names its fault (Langfuse's `ScoreBody` and `PostScoresBody`).
enum ScoreBody {
    /// A fault of a score.
    struct Fault: Error, Equatable {
        /// The member that is to blame.
        var member: String
        var message: String

        init(_ member: String, _ message: String) {
            self.member = member
            self.message = message
        }

        /// Both in one sentence, for answers that have one text alone.
        var sentence: String { "`\(member)` \(message)" }
    }

    /// Langfuse's own bounds, in bytes of an id and in UTF-16 units of a text.
    private static let longestID = 800
    private static let longestText = 500

    /// - Parameters:
    ///   - sources: the sources that a client may name here.
    ///   - now: the time of a score that names none.
    static func score(_ object: JSONObject, sources: [Score.Source], now: Timestamp) throws(Fault) -> Score {
        var score = Score()
        score.id = try id(object)
        score.timestamp = try time(object) ?? now.columnValue
        (score.created, score.updated) = (now, now)
        guard let name = try text(object, "name"), !name.isEmpty else {
            throw Fault("name", "must be a text that is not empty")
        }
        score.name = name
        try readTarget(object, into: &score)
        score.comment = try text(object, "comment")
        score.metadata = metadata(object)
        score.environment = ObservationMapping.environment(try text(object, "environment"))
        score.configID = try text(object, "configId")
        score.queueID = try text(object, "queueId")
        score.executionTraceID = try text(object, "executionTraceId")
        try readValue(object, into: &score)
        try readSource(object, sources, into: &score)
        return score
    }

    /// The given id, or a new one.
    private static func id(_ object: JSONObject) throws(Fault) -> String {
        guard let id = try text(object, "id"), !id.isEmpty else { return UUID().uuidString.lowercased() }
        guard id.utf8.count <= longestID, !id.utf8.contains(UInt8(ascii: "\r")) else {
            throw Fault("id", "must have at most \(longestID) bytes and no carriage return")
        }
        return id
    }

    /// The given time in milliseconds since 1970 (``Score/timestamp``); nil: there is none.
    private static func time(_ object: JSONObject) throws(Fault) -> Int64? {
        guard let given = try text(object, "timestamp") else { return nil }
        guard let time = TimeText.milliseconds(given) else {
            throw Fault("timestamp", "must be an ISO 8601 time with an offset, such as 2026-11-22T19:25:37Z")
        }
        return time
    }

    private static func readTarget(_ object: JSONObject, into score: inout Score) throws(Fault) {
        score.traceID = try target(object, "traceId")
        score.observationID = try target(object, "observationId")
        score.sessionID = try target(object, "sessionId")
        score.datasetRunID = try target(object, "datasetRunId")
        let targets = [score.traceID, score.sessionID, score.datasetRunID].count { $0 != nil }
        guard targets == 1, score.observationID == nil || score.traceID != nil else {
            throw Fault(
                "traceId",
                "Provide exactly one of the following: traceId (with optional observationId), sessionId or "
                    + "datasetRunId. ObservationId requires traceId.")
        }
    }

    private static func target(_ object: JSONObject, _ name: String) throws(Fault) -> String? {
        try text(object, name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func readValue(_ object: JSONObject, into score: inout Score) throws(Fault) {
        let number = object.number("value").flatMap { Double($0) }
        let text = object.text("value")
        guard number.map(\.isFinite) ?? (text != nil) else {
            throw Fault("value", "must be a number or a text")
        }
        if let given = try self.text(object, "dataType") {
            guard let type = Score.DataType.allCases.first(where: { $0.rawValue == given }) else {
                let names = Score.DataType.allCases.map(\.rawValue).joined(separator: ", ")
                throw Fault("dataType", "must be one of \(names)")
            }
            score.dataType = type
        } else {
            score.dataType = number == nil ? .categorical : .numeric
        }
        switch score.dataType {
        case .numeric: score.value = try wanted(number, "a number for dataType NUMERIC")
        case .boolean:
            score.value = try wanted(number.flatMap { $0 == 0 || $0 == 1 ? $0 : nil }, "0 or 1 for dataType BOOLEAN")
            score.stringValue = score.value == 1 ? "True" : "False"
        case .categorical: score.stringValue = try wanted(text, "a text for dataType CATEGORICAL")
        case .text:
            let fits = text.flatMap { (1...longestText).contains($0.utf16.count) ? $0 : nil }
            score.stringValue = try wanted(fits, "a text of 1 to \(longestText) characters for dataType TEXT")
        case .correction: try readCorrection(text, into: &score)
        }
    }

    private static func readCorrection(_ text: String?, into score: inout Score) throws(Fault) {
        score.stringValue = try wanted(text, "a text for dataType CORRECTION")
        guard score.traceID != nil else {
            throw Fault("dataType", "CORRECTION is for a trace or an observation; name one by traceId")
        }
        guard score.configID == nil else { throw Fault("configId", "must be absent for dataType CORRECTION") }
        score.name = "output"
    }

    private static func wanted<Value>(_ value: Value?, _ what: String) throws(Fault) -> Value {
        guard let value else { throw Fault("value", "must be \(what)") }
        return value
    }

    private static func readSource(
        _ object: JSONObject, _ sources: [Score.Source], into score: inout Score
    ) throws(Fault) {
        guard let given = try text(object, "source") else { return }
        guard let source = sources.first(where: { $0.rawValue == given }) else {
            throw Fault("source", "must be one of \(sources.map(\.rawValue).joined(separator: ", "))")
        }
        guard source != .annotation || score.configID != nil || score.dataType == .correction else {
            throw Fault("configId", "is required when source is ANNOTATION (except for CORRECTION scores).")
        }
        score.source = source
    }

    /// A text; nil if the member is absent or null.
    private static func text(_ object: JSONObject, _ name: String) throws(Fault) -> String? {
        guard let member = object.member(name), member.kind != .null else { return nil }
        guard let text = object.string(member) else { throw Fault(name, "must be a text") }
        return text
    }

    /// A JSON object; any other value becomes the one member of an object, as Langfuse has it.
    private static func metadata(_ object: JSONObject) -> String? {
        guard let member = object.member("metadata"), member.kind != .null else { return nil }
        let json = String(decoding: object.bytes[member.value], as: UTF8.self)
        return member.kind == .object ? json : #"{"metadata":\#(json)}"#
    }
}
