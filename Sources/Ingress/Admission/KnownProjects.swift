internal import Common
internal import NIOConcurrencyHelpers

/// The projects that there are now: the secrets file may gain and lose some while the ingress runs.
final class KnownProjects: Sendable {
    private let names: NIOLockedValueBox<Set<UTF8Text>>

    init(_ names: some Sequence<UTF8Text>) { self.names = NIOLockedValueBox(Set(names)) }

    /// In the order of their names.
    var all: [String] { names.withLockedValue { $0.sorted() }.map(\.text) }

    func contains(_ name: String) -> Bool { names.withLockedValue { $0.contains(name) } }

    func replace(with names: some Sequence<UTF8Text>) {
        let new = Set(names)
        self.names.withLockedValue { $0 = new }
    }
}
