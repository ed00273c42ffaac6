internal import Glibc

/// A command's reports: a line that is written over on a terminal, and elsewhere a line for each change.
final class Terminal {
    private let isQuiet: Bool
    private let isTerminal: Bool
    private var shown = ""

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isTerminal = isatty(STDOUT_FILENO) == 1
    }

    /// Shows how things stand.
    func show(_ line: String) {
        guard !isQuiet, line != shown else { return }
        shown = line
        Bootstrap.write(isTerminal ? "\r\u{1B}[K\(line)" : line + "\n", to: STDOUT_FILENO)
    }

    /// Says something for good.
    func say(_ line: String) {
        clear()
        Bootstrap.write(line + "\n", to: STDOUT_FILENO)
    }

    func fail(_ reason: String) {
        clear()
        Bootstrap.write("error: \(reason)\n", to: STDERR_FILENO)
    }

    private func clear() {
        if isTerminal, !shown.isEmpty { Bootstrap.write("\r\u{1B}[K", to: STDOUT_FILENO) }
        shown = ""
    }
}
