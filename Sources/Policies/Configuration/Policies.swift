/// The operator's rules, from the files of `CONFIG_PATH`.
package struct Policies: Sendable, Equatable {
    package var metadata = MetadataPolicy()

    package init() {}

    /// No rules.
    package static let none = Policies()
}
