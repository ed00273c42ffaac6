/// Gathers the problems of a reading that goes on after an error, so that a person sees all of them at once.
package struct ProblemLog: Sendable {
    package private(set) var problems: [ConfigurationProblem] = []

    package init() {}

    package var hasErrors: Bool { problems.contains { $0.severity == .error } }

    package mutating func error(at location: ConfigurationProblem.Location, _ message: String) {
        problems.append(ConfigurationProblem(.error, at: location, message))
    }

    package mutating func warning(at location: ConfigurationProblem.Location, _ message: String) {
        problems.append(ConfigurationProblem(.warning, at: location, message))
    }

    package mutating func note(_ problem: ConfigurationProblem) { problems.append(problem) }

    /// The result of `read`, or nil with its problems noted.
    package mutating func attempt<Value>(_ read: () throws(ConfigurationError) -> Value) -> Value? {
        do throws(ConfigurationError) {
            return try read()
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// Throws all problems together if one of them is an error.
    package func check() throws(ConfigurationError) {
        if hasErrors { throw ConfigurationError(problems) }
    }
}
