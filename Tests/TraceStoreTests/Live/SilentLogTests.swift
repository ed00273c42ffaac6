import InMemoryLogging
import Logging
import TestSupport
import Testing

/// The log holds no byte of a request, however it is broken and however much is logged.
@Suite(.timeLimit(.minutes(5))) struct SilentLogTests {
    @Test func `a broken request leaves nothing in the log`() async throws {
        let log = InMemoryLogHandler()
        var plan = LiveStore.Plan()
        plan.logger = Logger(label: "test") { _ in log }
        plan.logger.logLevel = .trace
        try await LiveStore.run(plan) { store in
            let authorization = "Authorization: \(LiveStore.authorization("main"))\r\n"
            for request in MalformedRequests.all("/api/public/otel/v1/traces") {
                let known = request.replacing("Host: localhost\r\n", with: "Host: localhost\r\n" + authorization)
                for text in [request, known] {
                    let pieces = text.split(separator: "\r\n\r\n", maxSplits: 1).map { String($0) }
                    try await withRawClient(to: store.port) { client in
                        for part in [pieces[0] + "\r\n\r\n", pieces.last ?? "", text] { try? await client.send(part) }
                        client.halfClose()
                        _ = await client.untilClosed()
                    }
                }
            }
        }
        #expect(!log.entries.isEmpty)
        for entry in log.entries { #expect(!MalformedRequests.betrays("\(entry)"), "\(entry)") }
    }
}
