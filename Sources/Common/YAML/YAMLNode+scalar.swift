extension YAMLNode {
    /// Whether nothing is said: no text at all, or `null` or `~` without quotes.
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The text of a scalar as it is written, even if it looks like a number or a truth value. Never empty.
    package func string() throws(ConfigurationError) -> String {
        guard case .scalar(let text, _) = content else { throw mismatch("text") }
        if isNull || text.isEmpty { throw error("\(label) has no value") }
        return text
    }

    /// A whole number in decimal digits, without quotes.
    package func int(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        let rule = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .scalar(let text, isPlain: true) = content, let value = Int(text), range.contains(value) else {
            throw mismatch(rule)
        }
        return value
    }

    /// `true` or `false`, without quotes.
    package func bool() throws(ConfigurationError) -> Bool {
        guard case .scalar(let text, isPlain: true) = content, let value = Bool(text.lowercased()) else {
            throw mismatch("true or false")
        }
        return value
    }

    /// A secret that can stand in an HTTP header: visible ASCII characters without spaces. Errors do not show it.
    package func secret() throws(ConfigurationError) -> SecretString {
        let text = try string()
        guard HeaderText.isToken(text) else {
            throw error("\(label) must be visible ASCII characters without spaces or line breaks")
        }
        return SecretString(text)
    }

    /// A name of the operator's choice, fit to be one segment of a URL path: 1–128 characters, no `/`, no control
    /// characters.
    package func name() throws(ConfigurationError) -> String {
        let text = try string()
        guard ConfigurationName.isValid(text) else { throw error("\(label) must be \(ConfigurationName.rule)") }
        return text
    }

    /// An `http` or `https` URL to which paths can be appended.
    package func baseURL() throws(ConfigurationError) -> BaseURL {
        guard let url = BaseURL(try string()) else {
            throw error("\(label) must be \(BaseURL.rule), such as \(BaseURL.example)")
        }
        return url
    }
}
