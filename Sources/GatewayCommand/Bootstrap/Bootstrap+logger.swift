internal import Common
internal import Glibc
internal import Logging

extension Bootstrap {
    /// The logger of the process, which writes to standard error in the form that the operator wants.
    static func logger(_ settings: Settings) -> Logger {
        let isJSON =
            switch settings.process.logFormat {
            case .json: true
            case .text: false
            case .auto: isatty(STDERR_FILENO) == 0
            }
        var logger = Logger(label: "metadata-gateway") { label in
            guard isJSON else { return StreamLogHandler.standardError(label: label) }
            return JSONLogHandler(label: label) { standardError($0) }
        }
        logger.logLevel = Logger.Level(rawValue: settings.process.logLevel.rawValue) ?? .info
        return logger
    }

    /// Writes a line in one call, so that those of two threads never mix.
    private static func standardError(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
