internal import Common

extension Pattern {
    /// - Throws: the fault of the expression, with its place.
    init(_ node: YAMLNode) throws(ConfigurationError) {
        let text = try node.string()
        do throws(PatternError) { try self.init(text) } catch { throw node.error(error) }
    }
}

extension YAMLNode {
    /// The error for the expression that stands here.
    func error(_ error: PatternError) -> ConfigurationError {
        let place = error.position.map { " (at its character \($0))" } ?? ""
        return self.error("\(label) is not an expression: \(error.message)\(place)")
    }
}
