/// The amount of logging. The cases are swift-log's levels, so `Logger.Level(rawValue:)` takes the raw value.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical

    /// Reads swift-log's names and those of Python's `logging`, in any case of letters.
    package init?(name: String) {
        switch name.lowercased() {
        case "notset": self = .trace
        case "warn": self = .warning
        case "fatal": self = .critical
        case let name: self.init(rawValue: name)
        }
    }
}
