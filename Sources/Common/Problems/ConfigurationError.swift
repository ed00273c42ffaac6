/// The configuration cannot be used. Holds every problem that was found, so that one run shows all that is to be
/// repaired.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one of them is an error; warnings found on the way are kept.
    package var problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) { self.problems = problems }

    package init(at location: ConfigurationProblem.Location, _ message: String) {
        problems = [ConfigurationProblem(.error, at: location, message)]
    }

    /// One line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
