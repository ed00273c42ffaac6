/// The rule for the names that an operator gives to projects and accounts. They stand as one segment in URL paths and
/// in Redis keys.
package enum ConfigurationName {
    package static let rule = "1 to 128 characters, without `/` and control characters"

    package static func isValid(_ name: String) -> Bool {
        (1...128).contains(name.unicodeScalars.count)
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.properties.generalCategory != .control }
    }
}
