/// The embedded trace store.
package struct TraceStoreSettings: Sendable, Equatable {
    package var host = "127.0.0.1"
    /// 0: any free port. The neighbour of the gateway's own; 3000 is where a Langfuse of one's own listens, and 4318 an
    /// OpenTelemetry collector.
    package var port = 4001
    /// Connections of clients to it.
    package var maxConnections = 256
    package var maxAge = Duration.seconds(30 * 86_400)
    package var maxBytes = 10 << 30
    /// Of one export, decompressed. Langfuse's Python SDK sends no more than this.
    package var maxExportBytes = 64 << 20
}

extension TraceStoreSettings {
    /// The variables that set these values, in the order of the documentation.
    static let table: [Setting] = [
        Setting(
            "TRACESTORE_HOST", \.traceStore.host, rule: .listenAddress,
            meaning: "The address on which the embedded trace store listens.", commands: .storing),
        Setting(
            "TRACESTORE_PORT", \.traceStore.port, rule: .int(0...65535, example: 4001),
            meaning: "The embedded trace store's port; 0 takes any free one.",
            commands: .storing),
        Setting(
            "TRACESTORE_MAX_CONNECTIONS", \.traceStore.maxConnections, rule: .int(4...1_000_000),
            meaning:
                "The most connections of clients to the trace store; further ones wait in the system's queue. When all are open, idle ones give way.",
            commands: .storing),
        Setting(
            "TRACESTORE_MAX_AGE", \.traceStore.maxAge, rule: .wholeSeconds(60...315_360_000),
            meaning: "How long the trace store keeps a trace or a score.",
            commands: .storing),
        Setting(
            "TRACESTORE_MAX_BYTES", \.traceStore.maxBytes, rule: .bytes(16 << 20...1 << 44),
            meaning:
                "The most bytes that traces, scores, the [request log](requestlog.md) and audit rows may take on disk; beyond it the oldest are deleted, audit rows last. The trace store checks "
                + "this every ten seconds.", commands: .storing),
        Setting(
            "TRACESTORE_MAX_EXPORT_BYTES", \.traceStore.maxExportBytes, rule: .bytes(64 << 10...1 << 30),
            meaning: "The largest export or batch of scores that the trace store takes, decompressed; beyond it 413.",
            commands: .storing),
    ]
}
