internal import NIOConcurrencyHelpers

/// The destinations of the projects' traces. That of the trace store inside `serve` is unknown until it listens.
package final class TraceDestinations: Sendable {
    private let keys: NIOLockedValueBox<[UTF8Text: LangfuseKeys]>
    /// The keys of a project at a trace store of the gateway's own, for one that the secrets file gives none. Nil where
    /// traces go elsewhere.
    private let embeddedKeys: (@Sendable (_ project: String) -> LangfuseKeys)?
    private let host: NIOLockedValueBox<BaseURL?>
    private let local = NIOLockedValueBox<(any SpanStore)?>(nil)

    /// - Parameter embeddedKeys: the keys of a project at a trace store of the gateway's own, for one that the secrets
    ///   file gives none.
    package init(_ configuration: Configuration, embeddedKeys: @escaping @Sendable (_ project: String) -> LangfuseKeys)
    {
        switch configuration.settings.backends.langfuse {
        case .embedded:
            self.embeddedKeys = embeddedKeys
            host = NIOLockedValueBox(nil)
        case .url(let url):
            self.embeddedKeys = nil
            host = NIOLockedValueBox(url)
        }
        keys = NIOLockedValueBox([:])
        replaceKeys(with: configuration.secrets)
    }

    /// Places that are known from the start.
    package init(_ keys: [UTF8Text: LangfuseKeys], at url: BaseURL) {
        self.keys = NIOLockedValueBox(keys)
        embeddedKeys = nil
        host = NIOLockedValueBox(url)
    }

    /// Takes over the projects and keys of other secrets.
    package func replaceKeys(with secrets: Secrets) {
        let new = secrets.projects.compactMapValues { $0.langfuse ?? embeddedKeys?($0.name) }
        keys.withLockedValue { $0 = new }
    }

    /// The projects that are traced.
    package var projects: [String] { keys.withLockedValue { $0.keys.map(\.text).sorted() } }

    /// Whether a project is traced at all, although its place may not be known yet.
    package func isTraced(_ project: String) -> Bool { keys.withLockedValue { $0[project] != nil } }

    package subscript(project: String) -> TraceDestination? {
        guard let keys = keys.withLockedValue({ $0[project] }), let host = host.withLockedValue({ $0 }) else {
            return nil
        }
        return TraceDestination(host: host, keys: keys)
    }

    /// The trace store in this process, if the traces go there.
    package var store: (any SpanStore)? { local.withLockedValue { $0 } }

    /// Traces go to a store in this process, without HTTP.
    package func keep(in store: any SpanStore) { local.withLockedValue { $0 = store } }

    /// The trace store inside the gateway listens.
    /// - Parameter host: its address, to be called from this machine.
    package func listens(onPort port: Int, host address: String) {
        let reachable = ["0.0.0.0", "::"].contains(address) ? "127.0.0.1" : address
        let bracketed = reachable.contains(":") ? "[\(reachable)]" : reachable
        host.withLockedValue { $0 = BaseURL("http://\(bracketed):\(port)") }
    }
}
