/// The log and the life of a process.
package struct ProcessSettings: Sendable, Equatable {
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.auto
    /// `serve` keeps its own Redis' files and keys here.
    package var dataDirectory = "./data"
    /// The difference between this machine's clock and that of Redis from which on it is warned of.
    package var clockSkew = Duration.seconds(2)
    /// The time for which a stopping process waits for the work in flight.
    package var drain = Duration.seconds(30)
}

extension ProcessSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting("LOG_LEVEL", \.process.logLevel, rule: .logLevel, meaning: "The lowest level that is logged."),
        Setting(
            "LOG_FORMAT", \.process.logFormat, rule: .choice,
            meaning:
                "The form of the log: a JSON object per line (`json`), or lines for people (`text`). `auto` is `text` on a terminal and `json` otherwise."
        ),
        Setting(
            "DATA_DIR", \.process.dataDirectory, rule: .text("the path of a folder", example: "/var/lib/gateway"),
            meaning: "The folder in which `serve` keeps its Redis and its key, and the trace store its traces.",
            commands: .storing),
        Setting(
            "DRAIN_SECONDS", \.process.drain, rule: .seconds(0...3600),
            meaning: "How long a stopping process waits for the work in flight."),
    ]
}
