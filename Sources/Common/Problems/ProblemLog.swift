/// Gathers the problems of a reading that goes on after an error, so that a person sees all of them at once.
package struct ProblemLog: Sendable {
    package private(set) var problems: [ConfigurationProblem] = []

    package init() {}

    package var hasErrors: Bool { problems.contains { $0.severity == .error } }

    package mutating func error(at location: ConfigurationProblem.Location, _ message: String) {
        note(ConfigurationProblem(.error, at: location, message))
    }

    package mutating func warning(at location: ConfigurationProblem.Location, _ message: String) {
        note(ConfigurationProblem(.warning, at: location, message))
    }

    /// Notes a problem, once.
    package mutating func note(_ problem: ConfigurationProblem) {
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// The result of `read`, or nil with its problems noted.
    @discardableResult
    package mutating func attempt<Value>(_ read: () throws(ConfigurationError) -> Value) -> Value? {
        do throws(ConfigurationError) {
            return try read()
        } catch {
            for problem in error.problems { note(problem) }
            return nil
        }
    }

    /// Throws all problems together if one of them is an error.
    package func check() throws(ConfigurationError) {
        if hasErrors { throw ConfigurationError(problems) }
    }
}
