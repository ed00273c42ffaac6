package import Common

/// Reads the operator's rules from YAML documents, each of which says its `type`.
package struct PolicyReader {
    private static let metadata = "gateway-metadata-config"
    /// Types that are refused by name, since an operator would believe them to be in force.
    private static let later = [
        "gateway-rate-limiting-config", "gateway-load-balancing-config", "gateway-fallback-config",
        "gateway-logging-config",
    ]

    private let asksForKeys: Bool
    private var policies = Policies()
    /// Where the document of the metadata stands.
    private var place: ConfigurationProblem.Location?

    /// - Parameter asksForKeys: whether clients are known by keys.
    private init(asksForKeys: Bool) { self.asksForKeys = asksForKeys }

    /// The rules of some files.
    /// - Throws: all problems of all of them, each with its place.
    package static func read(_ files: [ConfigurationFile], asksForKeys: Bool) throws(ConfigurationError) -> Policies {
        var (reader, log) = (PolicyReader(asksForKeys: asksForKeys), ProblemLog())
        for file in files {
            let roots = log.attempt { () throws(ConfigurationError) in try YAMLDocument.roots(of: file) } ?? []
            for root in roots { log.attempt { () throws(ConfigurationError) in try reader.read(root) } }
        }
        try log.check()
        return reader.policies
    }

    private mutating func read(_ root: YAMLNode) throws(ConfigurationError) {
        let map = try root.mapping()
        let node = try map.required("type")
        let type = try node.string()
        guard type == Self.metadata else {
            if Self.later.contains(type) { throw node.error("`\(type)` is not supported yet; remove the document") }
            let known = [Self.metadata] + Self.later
            let hint = NearMiss.nearest(to: type, among: known).map { " Did you mean `\($0)`?" } ?? ""
            throw node.error("`\(type)` is no type of document.\(hint) Supported: `\(Self.metadata)`.")
        }
        if let place { throw node.error("a `\(type)` is already given at \(place); join the two") }
        place = node.location
        policies.metadata = try MetadataPolicyReader(asksForKeys: asksForKeys).read(map)
    }
}
