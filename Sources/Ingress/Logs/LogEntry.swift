internal import Common
internal import JSON

/// One line that a rollout server logs: the body of `POST /logs`, kept byte for byte, and what the gateway reads of it.
struct LogEntry: Sendable {
    /// The largest body.
    static let sizeLimit = 64 << 10
    /// The most tags of one entry. A groupwise rollout names each of its rollouts.
    static let tagLimit = 256

    /// The body.
    let bytes: [UInt8]
    let program: String?
    let tags: [String]
    /// The rollouts that the tags name, each once.
    let rollouts: [String]
    /// The values as they were sent; nil where there is none or null.
    let message, status, extras: ArraySlice<UInt8>?
    /// `extras.level`, as Python's logging names it.
    let severity: String

    /// Bytes of the entry, once for each of its rollouts.
    var keptBytes: Int { bytes.count * rollouts.count }

    /// Whether the entry says what state its rollouts are in: its status has a code.
    let tellsStatus: Bool

    /// - Parameter maximumDepth: how deep arrays and objects may nest (`MAX_JSON_DEPTH`).
    /// - Throws: a 400 that names the member at fault.
    init(_ bytes: [UInt8], maximumDepth: Int) throws(GatewayError) {
        let object: JSONObject
        do { object = try JSONObject.scan(bytes, maximumDepth: maximumDepth) } catch { throw error.gatewayError }
        self.bytes = bytes
        program = try object.value("program", .string).flatMap(object.string)
        message = try object.value("message", .string).map { bytes[$0.value] }
        let tags = try object.value("tags", .array)
        guard let texts = tags.map(object.strings) ?? [], texts.count <= Self.tagLimit else {
            throw .invalidRequest(
                code: "invalid_tags", "`tags` must be a list of at most \(Self.tagLimit) strings.", param: "tags")
        }
        self.tags = texts
        rollouts = try Self.rollouts(of: texts)
        let status = try object.value("status", .object)
        let extras = try object.value("extras", .object)
        (self.status, self.extras) = (status.map { bytes[$0.value] }, extras.map { bytes[$0.value] })
        do {
            tellsStatus =
                try status.flatMap { member throws(JSONScanError) in try object.object(member)?.member("code")?.kind }
                == .number
            severity =
                try extras.flatMap { member throws(JSONScanError) in try object.object(member) }
                .flatMap { extras in extras.member("level").flatMap(extras.string) } ?? "INFO"
        } catch { throw error.gatewayError }
    }

    private static func rollouts(of tags: [String]) throws(GatewayError) -> [String] {
        var rollouts: [String] = []
        for rollout in RolloutName.named(by: tags) where !rollouts.contains(rollout) {
            guard RolloutName.isValid(rollout) else {
                throw .invalidRequest(
                    code: "invalid_tags", "A rollout_id in `tags` \(RolloutName.rule).", param: "tags")
            }
            rollouts.append(rollout)
        }
        guard !rollouts.isEmpty else {
            throw .invalidRequest(
                code: "missing_rollout_id",
                #"`tags` must name the rollout that the entry belongs to: {"tags": ["rollout_id:my-rollout"], …}."#,
                param: "tags")
        }
        return rollouts
    }
}

extension LogEntry {
    /// Writes the entry as `GET /logs` shows it.
    /// - Parameter time: The time at which it came, in ISO 8601.
    func write(to writer: inout JSONWriter, time: String) {
        writer.object { writer in
            writer.member("timestamp", time)
            if let message { writer.member("message", raw: message) } else { writer.member("message", "") }
            writer.member("severity", severity)
            writer.member("tags") { $0.array(tags) { $0.string($1) } }
            writer.member("status", raw: status)
            writer.member("extras", raw: extras)
        }
    }

    /// A rollout's state as `GET /status` shows it.
    /// - Parameter entry: The newest that tells it; nil if none has.
    static func statusJSON(of rollout: String, _ entry: LogEntry?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("rollout_id", rollout)
            writer.member("status", raw: entry?.status)
            writer.member("extras", raw: entry?.extras)
        }
        return writer.bytes
    }
}

extension JSONObject {
    /// The member of that name; nil if it is absent or null.
    fileprivate func value(_ name: String, _ kind: Kind) throws(GatewayError) -> Member? {
        guard let member = member(name), member.kind != .null else { return nil }
        guard member.kind == kind else {
            throw .invalidRequest(
                code: "invalid_type", "`\(name)` must be of the JSON type \(kind.rawValue), or null.", param: name)
        }
        return member
    }
}
