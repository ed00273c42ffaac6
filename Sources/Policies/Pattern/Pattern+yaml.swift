internal import Common

extension Pattern {
    /// - Throws: what is wrong with the expression, with its place.
    init(_ node: YAMLNode) throws(ConfigurationError) {
        let text = try node.string()
        do throws(PatternError) { try self.init(text) } catch {
            let place = error.position.map { " (at its character \($0))" } ?? ""
            throw node.error("\(node.label) is no expression: \(error.message)\(place)")
        }
    }
}
