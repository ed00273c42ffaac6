internal import CYAML

/// A mistake in the form of a YAML text, as libyaml found it.
struct YAMLFailure: Error {
    /// Counted from 1; nil where libyaml knows only the byte, as it does for bytes that are not UTF-8.
    let position: (line: Int, column: Int)?
    /// Counted from 0.
    let byteOffset: Int
    let message: String

    init(_ parser: yaml_parser_t) {
        let problem = parser.problem.map { String(cString: $0) } ?? "out of memory"
        let isReaderError = parser.error == YAML_READER_ERROR
        position = isReaderError ? nil : (Int(parser.problem_mark.line) + 1, Int(parser.problem_mark.column) + 1)
        byteOffset = Int(parser.problem_offset)
        var message = problem
        if let context = parser.context, !isReaderError {
            message += ", \(String(cString: context)) that begins on line \(parser.context_mark.line + 1)"
        }
        self.message = message + Self.hint(problem)
    }

    /// Advice on the mistakes that people make most.
    private static func hint(_ problem: String) -> String {
        switch problem {
        case "found character that cannot start any token":
            "; indent with spaces instead of tabs, and quote a value that begins with one of @ ` %"
        case "mapping values are not allowed in this context":
            "; quote a value that holds `: `, and give the keys of one mapping the same indentation"
        case "could not find expected ':'", "did not find expected key":
            "; check the indentation, and that each key is followed by a colon and a space"
        case "did not find expected alphabetic or numeric character":
            "; quote a value that begins with & or *"
        case "control characters are not allowed":
            "; remove the control character, or write it as an escape in double quotes"
        default:
            problem.contains("UTF-8") ? "; save the file as UTF-8" : ""
        }
    }
}
