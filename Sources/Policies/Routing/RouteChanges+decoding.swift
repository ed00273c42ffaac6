internal import Common
internal import JSON

extension Route.Changes {
    /// Members that say what the answer is or where the call goes, so that no rule may set them.
    private static let fixedMembers: [String] = [
        "model", "messages", "input", "prompt", "stream", "stream_options", "metadata", "api_key", "api_base",
        "base_url",
    ]
    /// Headers that carry keys, which belong in the secrets file.
    private static let keyHeaders = ["authorization", "proxy-authorization", "cookie"] + ProviderKeyHeaders.names
    /// Headers that belong to the connection or to the body, or mark who has passed the request on.
    private static let fixedHeaders: [String] = [
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via",
    ]

    /// Reads `override_params` and `headers_override` of a target.
    init(_ map: YAMLMapping) throws(ConfigurationError) {
        var log = ProblemLog()
        let members = log.attempt { () throws(ConfigurationError) in
            try map["override_params"].map { node throws(ConfigurationError) in try Self.members(node) } ?? []
        }
        var (headers, removed) = ([HeaderField](), [String]())
        if let node = map["headers_override"] {
            log.attempt { () throws(ConfigurationError) in
                let map = try node.mapping(of: ["set", "remove"])
                for entry in try map["set"]?.mapping().entries ?? [] {
                    let value = try entry.value.string()
                    guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                        throw entry.value.error("\(entry.value.label) must be visible ASCII characters and spaces")
                    }
                    headers.append(HeaderField(try Self.name(entry.key, at: entry.location), value))
                }
                for node in try map["remove"]?.sequence() ?? [] {
                    removed.append(try Self.name(try node.string(), at: node.location))
                }
            }
        }
        try log.check()
        self.init(members: members ?? [], headers: headers, removedHeaders: removed)
    }

    private static func members(_ node: YAMLNode) throws(ConfigurationError) -> [Member] {
        var (log, members) = (ProblemLog(), [Member]())
        for entry in try node.mapping().entries {
            if entry.key == "prompt_version_fqn" {
                log.error(at: entry.location, "`prompt_version_fqn` is not supported yet")
            } else if fixedMembers.contains(entry.key) {
                log.error(
                    at: entry.location,
                    "a rule cannot set `\(entry.key)`: it says where the call goes, or what its client gets")
            } else if let json = log.attempt({ () throws(ConfigurationError) in try entry.value.json() }) {
                members.append(Member(entry.key, json: json))
            }
        }
        try log.check()
        return members
    }

    private static func name(
        _ text: String, at place: ConfigurationProblem.Location
    ) throws(ConfigurationError) -> String {
        let name = text.lowercased()
        if keyHeaders.contains(name) {
            throw ConfigurationError(
                at: place, "a rule cannot change `\(name)`, which may carry a key; keys belong in the secrets file")
        }
        if fixedHeaders.contains(name) {
            throw ConfigurationError(
                at: place, "a rule cannot change `\(name)`: it belongs to the connection or the body")
        }
        guard !name.isEmpty, name.utf8.allSatisfy(isTokenCharacter) else {
            throw ConfigurationError(at: place, "`\(text)` is not a name of a header")
        }
        return name
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension YAMLNode {
    /// The value as JSON. A plain `true`, `null` or number is one; what stands in quotes is a text.
    func json() throws(ConfigurationError) -> String {
        switch content {
        case .sequence(let nodes):
            var parts: [String] = []
            for node in nodes { parts.append(try node.json()) }
            return "[" + parts.joined(separator: ",") + "]"
        case .mapping(let entries):
            var parts: [String] = []
            for entry in entries { parts.append(Self.quoted(entry.key) + ":" + (try entry.value.json())) }
            return "{" + parts.joined(separator: ",") + "}"
        case .scalar(let text, isPlain: false): return Self.quoted(text)
        case .scalar(let text, isPlain: true):
            if isNull { return "null" }
            if let truth = Bool(text.lowercased()) { return truth ? "true" : "false" }
            if (try? JSONObject.scan(Array("{\"x\":\(text)}".utf8), maximumDepth: 1))?.member("x")?.kind == .number {
                return text
            }
            if Double(text) != nil { throw error("\(label) is not a number as JSON has them; write it such as `0.5`") }
            return Self.quoted(text)
        }
    }

    private static func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }
}
