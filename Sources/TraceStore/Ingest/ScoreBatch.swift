internal import Common
internal import JSON

/// The body of `POST /api/public/scores`: one score, or a list of them, as the SDK sends them from version 5 on.
struct ScoreBatch: Sendable {
    /// The depth to which such a body may nest.
    private static let maximumDepth = EmbeddedJSON.maximumDepth

    /// The scores that are good.
    private(set) var scores: [Score] = []
    /// The faults of the others.
    private(set) var faults: [ScoreBody.Fault] = []
    /// Whether the body is a list.
    let isList: Bool

    /// - Parameter now: the time at which the body came.
    /// - Throws: 400 for a body that is neither.
    init(_ body: [UInt8], now: Timestamp) throws(LangfuseError) {
        if let object = try? JSONObject.scan(body, maximumDepth: Self.maximumDepth) {
            isList = false
            add(object, now)
            return
        }
        guard let outline = JSONOutline(body), let elements = outline.elements(of: outline.whole) else {
            throw .invalidParameter("body", "must be a score as a JSON object, or a JSON list of them")
        }
        isList = true
        for element in elements {
            do throws(JSONScanError) {
                add(try JSONObject.scan(body, range: element, maximumDepth: Self.maximumDepth - 1), now)
            } catch {
                faults.append(
                    ScoreBody.Fault("body", "must be a JSON object whose names are distinct: \(error.code)"))
            }
        }
    }

    private mutating func add(_ object: JSONObject, _ now: Timestamp) {
        do throws(ScoreBody.Fault) {
            scores.append(try ScoreBody.score(object, sources: [.api, .annotation], now: now))
        } catch {
            faults.append(error)
        }
    }

    /// The answer once the good ones are stored, as its status and JSON.
    /// - Throws: 400 for a single score that is not good.
    func answer() throws(LangfuseError) -> (status: Int, json: [UInt8]) {
        var writer = JSONWriter()
        guard isList else {
            if let fault = faults.first { throw .invalidParameter(fault.member, fault.message) }
            writer.object { $0.member("id", scores.first?.id) }
            return (200, writer.bytes)
        }
        guard !faults.isEmpty else { return (202, Array(#"{"message":"Accepted"}"#.utf8)) }
        writer.object { writer in
            writer.member("accepted", scores.count)
            writer.member("rejected", faults.count)
            writer.member("errors") { writer in
                writer.array(faults) { writer, fault in writer.object { $0.member("message", fault.sentence) } }
            }
        }
        return (207, writer.bytes)
    }
}
