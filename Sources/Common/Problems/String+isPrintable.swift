extension String {
    /// Whether the text can be shown on one line: it is not empty and holds no control characters.
    package var isPrintable: Bool {
        !isEmpty && unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
