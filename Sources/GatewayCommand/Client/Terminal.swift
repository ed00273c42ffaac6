internal import Glibc

/// A command's reports: a line that is written over on a terminal, and elsewhere a line for each change.
final class Terminal {
    /// The width of a terminal that does not tell its own.
    private static let usualColumns = 80

    private let isQuiet: Bool
    private let isTerminal: Bool
    private var shown = ""

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isTerminal = isatty(STDOUT_FILENO) == 1
    }

    /// The characters that one line has room for as the terminal is now; nil: it is none, and lines have any length.
    var columns: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        // In the last column some terminals begin the next line, which could not be written over.
        return max((isKnown ? Int(size.ws_col) : Self.usualColumns) - 1, 1)
    }

    /// Shows how things stand. On a terminal the line is cut where a second one would begin.
    func show(_ line: String) {
        guard !isQuiet, line != shown else { return }
        shown = line
        let text = columns.map { line.fitting($0) } ?? line
        Bootstrap.write(isTerminal ? "\r\u{1B}[K\(text)" : text + "\n", to: STDOUT_FILENO)
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

extension String {
    /// The text, or as much of it as `columns` characters hold, with a mark where it was cut.
    func fitting(_ columns: Int) -> String { count <= columns ? self : prefix(max(columns - 1, 0)) + "…" }
}
