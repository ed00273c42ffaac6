internal import JSON

/// A request's data for the request log that its span does not hold. It is one attribute of the span, a JSON
/// object; what is not known is left out.
package struct RequestSummary: Sendable, Equatable {
    /// The HTTP status that the client was told.
    package var status = 0
    /// An end that the status does not tell: `refused`, `cancelled` or `dead_lettered`.
    package var ending: String?
    /// The path meant for the backend.
    package var path = ""
    package var user: String?
    package var teams: [String] = []
    /// Whether server-sent events were asked for.
    package var isStream = false
    /// The target of the operator's rule that answered: `provider/model`.
    package var target: String?
    /// The operator's rules that applied.
    package var rules: [String] = []
    /// The time of the first call of a provider.
    package var firstCall: Timestamp?
    /// Calls whose forwarder died.
    package var lostCalls = 0
    package var requestBytes = 0
    package var responseBytes = 0

    package init() {}

    package static func == (left: Self, right: Self) -> Bool { left.json == right.json }

    /// The attribute's value.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.reserve(256)
        writer.object { writer in
            writer.member("status", status)
            writer.member("ending", ending)
            writer.member("path", path)
            writer.member("user", user)
            if !teams.isEmpty { writer.member("teams") { $0.array(teams) { $0.string($1) } } }
            if isStream { writer.member("stream", true) }
            writer.member("target", target)
            if !rules.isEmpty { writer.member("rules") { $0.array(rules) { $0.string($1) } } }
            if let firstCall { writer.member("first_call", Int(clamping: firstCall.milliseconds)) }
            if lostCalls > 0 { writer.member("lost_calls", lostCalls) }
            writer.member("request_bytes", requestBytes)
            writer.member("response_bytes", responseBytes)
        }
        return writer.bytes
    }

    /// Reads what `json` wrote. Nil for what is not a JSON object; members that are of another kind count as left out.
    package init?(json: [UInt8]) {
        guard let object = try? JSONObject.scan(json, maximumDepth: 3) else { return nil }
        let text = { (name: String) in object.member(name).flatMap { object.string($0) } }
        let number = { (name: String) in
            object.member(name).flatMap { UInt64(String(decoding: json[$0.value], as: UTF8.self)) }
        }
        let texts = { (name: String) in object.member(name).flatMap { object.strings($0) } ?? [] }
        status = Int(clamping: number("status") ?? 0)
        ending = text("ending")
        path = text("path") ?? ""
        user = text("user")
        teams = texts("teams")
        isStream = object.member("stream").flatMap { object.bool($0) } ?? false
        target = text("target")
        rules = texts("rules")
        firstCall = number("first_call").map { Timestamp(milliseconds: $0) }
        lostCalls = Int(clamping: number("lost_calls") ?? 0)
        requestBytes = Int(clamping: number("request_bytes") ?? 0)
        responseBytes = Int(clamping: number("response_bytes") ?? 0)
    }
}
