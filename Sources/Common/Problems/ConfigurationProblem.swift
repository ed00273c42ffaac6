/// One thing that is wrong with the configuration, or doubtful in it, and where. It prints as the line that a person
/// reads: `secrets.yaml:3:5: error: …` or `environment: REDIS_PORT: error: …`.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    /// The location of the problem.
    package enum Location: Sendable, Hashable {
        /// A variable of the environment, by its name.
        case environment(String)
        /// A file as a whole.
        case file(String)
        /// A place in a file; line and column count from 1.
        case position(file: String, line: Int, column: Int)
    }

    package enum Severity: String, Sendable, Hashable {
        /// The gateway cannot start.
        case error
        /// The gateway starts, and says so.
        case warning
    }

    package var severity: Severity
    package var location: Location
    /// The fault and its repair. Never holds a secret.
    package var message: String

    package init(_ severity: Severity, at location: Location, _ message: String) {
        self.severity = severity
        self.location = location
        self.message = message
    }

    package var description: String { "\(location): \(severity.rawValue): \(message)" }
}

extension ConfigurationProblem.Location: CustomStringConvertible {
    package var description: String {
        switch self {
        case .environment(let name): "environment: \(name)"
        case .file(let name): name
        case .position(let file, let line, let column): "\(file):\(line):\(column)"
        }
    }
}
