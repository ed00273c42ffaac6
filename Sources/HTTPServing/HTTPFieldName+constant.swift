package import HTTPTypes

extension HTTPField.Name {
    /// - Parameter name: made of constants alone, and of valid form. Any other text is a programming error and ends the
    ///   process at its first use: a stand-in would send the header under a wrong name.
    package init(constant name: String) {
        guard let parsed = Self(name) else { preconditionFailure("`\(name)` is not a header's name") }
        self = parsed
    }
}
