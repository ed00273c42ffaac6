internal import Common

extension Subject {
    /// The spellings of TrueFoundry's generations, with what they stand for here.
    private static let prefixes: [(name: String, make: @Sendable (UTF8Text) -> Subject)] = [
        ("user", { .user($0) }), ("team", { .team($0) }), ("account", { .account($0) }),
        ("virtualaccount", { .account($0) }),
        ("virtual-account", { .account($0) }), ("serviceaccount", { .account($0) }),
    ]

    /// Reads `user:NAME`, `team:NAME`, `account:NAME` or `*`.
    /// - Parameter asksForKeys: whether clients are known by keys. Without them a rule for one client never applies.
    init(_ node: YAMLNode, asksForKeys: Bool) throws(ConfigurationError) {
        let text = try node.string()
        if text == "*" {
            self = .everyone
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw node.error("`\(text)` is not a subject; write `user:NAME`, `team:NAME`, `account:NAME` or `*`")
        }
        guard let prefix = Self.prefixes.first(where: { $0.name == parts[0] }) else {
            let hint = SpellingSuggestion.nearest(to: String(parts[0]), among: Self.prefixes.map(\.name)).map {
                " Did you mean `\($0):`?"
            }
            throw node.error(
                "`\(parts[0]):` is not a kind of subject.\(hint ?? "") Known are `user:`, `team:`, `account:` and `*`.")
        }
        guard asksForKeys else {
            throw node.error(
                "no client is known as `\(text)`, since clients need no key: set API_KEYS_PATH, or write `*` for all"
            )
        }
        self = prefix.make(UTF8Text(parts[1]))
    }

    /// The subjects of a rule's `when`; everyone if it does not say.
    static func all(_ when: YAMLNode?, asksForKeys: Bool, _ log: inout ProblemLog) -> [Subject] {
        guard let when else { return [.everyone] }
        guard let map = log.attempt({ () throws(ConfigurationError) in try when.mapping(of: ["subjects"]) }) else {
            return []
        }
        guard let list = map["subjects"] else { return [.everyone] }
        guard let nodes = log.attempt({ () throws(ConfigurationError) in try list.sequence() }) else { return [] }
        if nodes.isEmpty {
            log.error(at: list.location, "\(list.label) is empty; name a subject, or leave it out for everyone")
        }
        return nodes.compactMap { node in
            log.attempt { () throws(ConfigurationError) in try Subject(node, asksForKeys: asksForKeys) }
        }
    }
}
