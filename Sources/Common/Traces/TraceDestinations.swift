internal import NIOConcurrencyHelpers

/// Where each project's traces go. The trace store inside `serve` says where it listens only once it does; until then its projects have no place.
package final class TraceDestinations: Sendable {
    private let keys: [String: LangfuseKeys]
    private let host: NIOLockedValueBox<BaseURL?>

    /// - Parameter embeddedKeys: the keys of a project at a trace store of the gateway's own, for one that the secrets file gives none.
    package init(_ configuration: Configuration, embeddedKeys: (_ project: String) -> LangfuseKeys) {
        let projects = configuration.secrets.projects
        switch configuration.settings.langfuse {
        case .embedded:
            keys = projects.mapValues { $0.langfuse ?? embeddedKeys($0.name) }
            host = NIOLockedValueBox(nil)
        case .url(let url):
            keys = projects.compactMapValues(\.langfuse)
            host = NIOLockedValueBox(url)
        }
    }

    /// Places that are known from the start.
    package init(_ keys: [String: LangfuseKeys], at url: BaseURL) {
        self.keys = keys
        host = NIOLockedValueBox(url)
    }

    /// The projects that are traced.
    package var projects: [String] { keys.keys.sorted() }

    /// Whether a project is traced at all, although its place may not be known yet.
    package func isTraced(_ project: String) -> Bool { keys[project] != nil }

    package subscript(project: String) -> TraceDestination? {
        guard let keys = keys[project], let host = host.withLockedValue({ $0 }) else { return nil }
        return TraceDestination(host: host, keys: keys)
    }

    /// The trace store inside the gateway listens.
    /// - Parameter host: its address, to be called from this machine.
    package func listens(onPort port: Int, host address: String) {
        let reachable = ["0.0.0.0", "::"].contains(address) ? "127.0.0.1" : address
        let bracketed = reachable.contains(":") ? "[\(reachable)]" : reachable
        host.withLockedValue { $0 = BaseURL("http://\(bracketed):\(port)") }
    }
}
