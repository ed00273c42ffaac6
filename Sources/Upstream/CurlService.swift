internal import ServiceLifecycle

/// Keeps the thread of the upstream calls alive as long as those who make them.
package struct CurlService: Service {
    private let upstream: CurlUpstream

    package init(upstream: CurlUpstream) { self.upstream = upstream }

    package func run() async throws {
        upstream.start()
        try? await gracefulShutdown()
        upstream.stop()
    }
}
