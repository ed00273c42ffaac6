import TestSupport

/// How a client leaves.
enum Leaving: String, Sendable, CaseIterable {
    /// Closes both ways.
    case closes
    /// Ends its sending side, and waits for the gateway to close the rest.
    case halfCloses

    func leave(_ client: RawClient) async throws {
        switch self {
        case .closes: try await client.close()
        case .halfCloses:
            client.halfClose()
            _ = await client.untilClosed()
        }
    }
}
