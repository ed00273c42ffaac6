internal import ArgumentParser
internal import Common
internal import Logging
internal import TraceStore

extension Bootstrap {
    /// The embedded trace store in a folder of this process's own.
    /// - Parameters:
    ///   - key: the gateway's own. Those projects that have no keys for a Langfuse get some from it.
    ///   - takesTraces: false: it is there for the request log alone, and does not listen.
    ///   - onListening: is told the port, after the keys of the default project can be read in the folder.
    func traceStore(
        in folder: DataDirectory, key: GatewayKey, takesTraces: Bool = true,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) throws -> TraceStoreService {
        let settings = configuration.settings
        let project = configuration.secrets.defaultProject
        let keys = Self.storeKeys(configuration.secrets, key)
        do {
            let store = try TraceStoreService(
                directory: folder.path, keys: keys, host: settings.traceStore.host, port: settings.traceStore.port,
                hosts: settings.http.allowedHosts,
                takesTraces: takesTraces, limits: .init(settings), registry: registry, logger: logger
            ) { port in
                if let keys = keys[project] {
                    let file = ClientEnvironment(
                        url: "http://\(settings.traceStore.host.bracketed):\(port)", keys: keys)
                    do { try file.write(to: folder.path) } catch {
                        logger.warning("the clients' environment is not written", metadata: ["error": "\(error)"])
                    }
                }
                await onListening(port)
            }
            secretsFile.onChange { secrets throws(ConfigurationError) in
                try store.prepare(keys: Self.storeKeys(secrets, key))
            }
            return store
        } catch let error as TraceStoreError {
            throw Self.failure("environment: DATA_DIR: \(error)")
        } catch let error as ConfigurationError {
            throw Self.failure("\(error)")
        }
    }

    /// The keys that open the embedded trace store, by project.
    private static func storeKeys(_ secrets: Secrets, _ key: GatewayKey) -> [UTF8Text: LangfuseKeys] {
        secrets.projects.mapValues { $0.langfuse ?? LangfuseKeys(embedded: $0.name, key: key) }
    }
}

extension TraceStoreService.Limits {
    init(_ settings: Settings) {
        self.init(
            age: settings.traceStore.maxAge, bytes: settings.traceStore.maxBytes,
            exportBytes: settings.traceStore.maxExportBytes, requestAge: settings.requestLog.maxAge,
            auditAge: settings.requestLog.auditMaxAge, connections: settings.traceStore.maxConnections)
    }
}
