internal import Common
internal import NIOConcurrencyHelpers
internal import Policies

/// The file of the clients' keys:
///
/// ```yaml
/// keys:
///   - id: team-a-1            # names the key
///     account: team-a
///     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
///     projects: [project-a]   # or "*" for all
///     user: ada@example.com   # optional, as the next two
///     teams: [search]
///     metadata: {team: a}
///     admin: true             # the operator's own: sees what belongs to no project
/// ```
struct APIKeysFile: Sendable {
    /// The keys that the file holds.
    struct Keys: Sendable {
        var entries: [APIKeyAuth.Entry] = []
        /// For the audit log: the keys by their ids.
        var contents: FileContents
    }

    let path: String
    /// The projects that there are; a key for another one is a mistake that is reported. Nil: not known.
    let projects: @Sendable () -> Set<UTF8Text>?
    /// The state of the file, and the projects, with which it was last read, or could not be.
    private let last = NIOLockedValueBox<(stamp: FileStamp?, projects: Set<UTF8Text>?)>((nil, nil))

    init(path: String, projects: @escaping @Sendable () -> Set<UTF8Text>?) {
        self.path = path
        self.projects = projects
    }

    /// Reads the file if it is in another state than when it was last read, or could not be, or there are other
    /// projects.
    /// - Returns: nil if it is in the same.
    /// - Throws: all problems, each with line and column; once for each state.
    func keysIfChanged() throws(ConfigurationError) -> Keys? {
        let last = last.withLockedValue { $0 }
        return last.stamp == FileStamp(of: path) && last.projects == projects() ? nil : try keys()
    }

    /// Reads the file.
    /// - Throws: all problems, each with line and column.
    func keys() throws(ConfigurationError) -> Keys {
        // Taken before the reading: what is written meanwhile is read the next time.
        let (found, projects) = (FileStamp(of: path), projects())
        last.withLockedValue { $0 = (found, projects) }
        let file = try ConfigurationFile(reading: path)
        let top = try YAMLDocument(file).root.mapping(of: ["keys"])
        var log = ProblemLog()
        var keys = Keys(contents: FileContents(of: [file]))
        var ids: Set<UTF8Text> = []
        var digests: Set<[UInt8]> = []
        for node in try top.required("keys").sequence() {
            guard
                let entry = log.attempt({ () throws(ConfigurationError) in
                    try APIKeyAuth.Entry(node, projects: projects)
                })
            else { continue }
            if !ids.insert(entry.id) {
                log.error(at: node.location, "the id `\(entry.id)` is already another key's; give each its own")
            }
            if !digests.insert(entry.digest).inserted {
                log.error(at: node.location, "the key is already another entry's; make each its own")
            }
            keys.entries.append(entry)
            keys.contents.add(entry.id, node.content)
        }
        try log.check()
        return keys
    }
}

extension APIKeyAuth.Entry {
    fileprivate init(_ node: YAMLNode, projects known: Set<UTF8Text>?) throws(ConfigurationError) {
        let map = try node.mapping(of: ["id", "account", "sha256", "projects", "user", "teams", "metadata", "admin"])
        let sha256 = try map.required("sha256")
        guard let digest = Self.digest(try sha256.string()) else {
            throw ConfigurationError(
                at: sha256.location,
                "must be the key's SHA-256 in 64 hex digits: `printf %s \"$KEY\" | sha256sum`; the key itself does not belong here"
            )
        }
        let id = try map.required("id").string()
        var account = Account(
            id: try map.required("account").string(),
            projects: try Self.projects(map.required("projects"), known: known),
            user: try map["user"]?.string(), teams: try Self.teams(map["teams"]),
            metadata: try Self.metadata(map["metadata"]), isAdmin: try map["admin"]?.bool() ?? false)
        account.keyID = id
        self.init(id: id, digest: digest, account: account)
    }

    private static func teams(_ node: YAMLNode?) throws(ConfigurationError) -> [String] {
        var teams: [String] = []
        for team in try node?.sequence() ?? [] { teams.append(try team.string()) }
        return teams
    }

    private static func metadata(_ node: YAMLNode?) throws(ConfigurationError) -> [UTF8Text: String] {
        guard let node else { return [:] }
        var metadata: [UTF8Text: String] = [:]
        for entry in try MetadataLimits.entries(of: node) { metadata[UTF8Text(entry.key)] = entry.value }
        return metadata
    }

    private static func projects(_ node: YAMLNode, known: Set<UTF8Text>?) throws(ConfigurationError) -> Account.Projects
    {
        if case .scalar = node.content {
            guard try node.string() == "*" else { throw node.mismatch("a list of projects, or \"*\" for all") }
            return .all
        }
        var names: [String] = []
        for name in try node.sequence() { names.append(try name.name()) }
        guard let known, let unknown = names.first(where: { !known.contains($0) }) else {
            return .only(Set(texts: names))
        }
        throw ConfigurationError(at: node.location, "`\(unknown)` is not a project of secrets.yaml")
    }

    private static func digest(_ hex: String) -> [UInt8]? {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard hex.utf8.count == 64, digits.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
