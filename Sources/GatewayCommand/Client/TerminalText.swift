extension String {
    /// On one line and without what a terminal would obey: control and format characters, such as those that move the
    /// cursor or turn the direction of text, as escapes.
    var escapedForTerminal: String {
        guard unicodeScalars.contains(where: \.isObeyedByTerminals) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isObeyedByTerminals {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// As a value behind `=`: in quotes where it would not be seen where it ends.
    var shownAsValue: String {
        let text = escapedForTerminal
        let isPlain =
            !text.isEmpty
            && !text.unicodeScalars.contains { $0.properties.isWhitespace || "\"=".unicodeScalars.contains($0) }
        return isPlain
            ? text
            : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
    }
}

extension Unicode.Scalar {
    fileprivate var isObeyedByTerminals: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }
}
