package import NIOCore

/// Calls providers over libcurl: HTTP/1.1 and HTTP/2, on kept connections, without redirects, proxies or anything else
/// from the environment.
///
/// All calls share one thread. Calls of `start` cost it and their event loop one wake-up a turn, however many they are.
/// libcurl may send a request a second time by itself only if its method is idempotent (RFC 9110 §9.2.2). So a
/// completion is never paid twice behind the caller's back: the caller is told `keptConnectionClosed`, and decides.
package final class CurlUpstream: UpstreamClient {
    private let loop: CurlLoop

    /// - Throws: `unavailable` when libcurl has no memory, or the process no file descriptors, to begin with.
    package init(_ configuration: CurlConfiguration = .init()) throws(UpstreamError) {
        loop = try CurlLoop(configuration)
    }

    /// Calls whose scope has not ended.
    package var inFlight: Int { get async { await loop.inFlight } }

    /// Starts the thread, once. Calls that were made before wait for it.
    package func start() { loop.start() }

    /// Fails the calls in flight with `unavailable`, ends the thread and waits for its end. Later calls fail at once.
    /// Not from the thread itself.
    package func stop() { loop.stop() }

    package func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        let call = CurlCall(loop)
        return try await withTaskCancellationHandler {
            try await loop.begin(request, for: call.id)
            do {
                let result = try await body(call)
                await loop.close(call.id)
                return result
            } catch {
                await loop.close(call.id)
                throw error
            }
        } onCancel: {
            loop.thread.submit { [loop] in loop.assumeIsolated { $0.cancel(call.id) } }
        }
    }

    package func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer {
        let call = CurlPushedCall(loop, patience: patience, on: eventLoop, to: receiver)
        loop.give(.start(call, request))
        return call
    }
}
