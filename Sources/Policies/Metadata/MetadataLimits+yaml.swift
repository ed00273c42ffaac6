package import Common

extension MetadataLimits {
    /// The metadata that an operator wrote as a mapping of keys to values.
    /// - Throws: all faults, each with its place.
    package static func entries(of node: YAMLNode) throws(ConfigurationError) -> [(key: String, value: String)] {
        var log = ProblemLog()
        var entries: [(key: String, value: String)] = []
        let mapping = try node.mapping()
        guard mapping.entries.count <= entryLimit else {
            throw node.error("\(node.label) has more than \(entryLimit) keys")
        }
        for entry in mapping.entries {
            if let fault = fault(ofKey: entry.key) {
                log.error(at: entry.location, "the key `\(shown(entry.key))` \(fault)")
            }
            guard let value = log.attempt({ () throws(ConfigurationError) in try entry.value.string() }) else {
                continue
            }
            if let fault = fault(ofValue: value) {
                log.error(at: entry.value.location, "`\(shown(entry.key))` \(fault)")
            }
            entries.append((entry.key, value))
        }
        try log.check()
        return entries
    }
}
