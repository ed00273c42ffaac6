import NIOConcurrencyHelpers
import TestSupport

/// A provider that does what a prompt's canary is for (`canary-stream-prompt`), and says another canary
/// (`canary-stream-answer`). An error quotes the prompt.
struct CanaryProvider: Sendable {
    private let server: ScriptedServer
    private let made: NIOLockedValueBox<[String: Int]>

    var port: Int { server.port }

    /// How many calls were made for a case.
    func calls(_ name: String) -> Int { made.withLockedValue { $0[name] ?? 0 } }

    static func run(_ body: @escaping (CanaryProvider) async throws -> Void) async throws {
        let made = NIOLockedValueBox<[String: Int]>([:])
        try await ScriptedServer.run { connection in
            while let request = try await connection.request() {
                let name = request.firstMatch(of: /canary-(\w+)-prompt/).map { String($0.1) } ?? ""
                let number = made.withLockedValue { made in
                    made[name, default: 0] += 1
                    return made[name] ?? 0
                }
                guard try await answer(name, number, on: connection) else { return }
            }
        } _: { server in
            try await body(CanaryProvider(server: server, made: made))
        }
    }

    /// - Returns: whether the connection goes on.
    private static func answer(
        _ name: String, _ number: Int, on connection: ScriptedServer.Connection
    ) async throws -> Bool {
        let quote = #"{"error":{"message":"canary-\#(name)-prompt is wrong, canary-\#(name)-answer","code":"x"}}"#
        let message = #"{"role":"assistant","content":"canary-\#(name)-answer"}"#
        let completion =
            #"{"note":"canary-\#(name)-answer","choices":[{"index":0,"message":\#(message),"finish_reason":"stop"}]}"#
        let event = #"data: {"choices":[{"index":0,"delta":{"content":"canary-\#(name)-answer"}}]}"# + "\n\n"
        switch (name, number) {
        case ("4xx", _): try await whole(quote, 400, on: connection)
        case ("5xx", _), ("fallback", 1): try await whole(quote, 500, on: connection)
        case ("stream", _), ("cancel", _):
            try await connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + event)
            // The client of the other one leaves.
            if name == "cancel" { try await connection.closed() }
            try await connection.write(
                #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n")
            return false
        case ("kill", 1):
            try await connection.closed()
            return false
        default: try await whole(completion, 200, on: connection)
        }
        return true
    }

    private static func whole(_ body: String, _ status: Int, on connection: ScriptedServer.Connection) async throws {
        let labels = "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)"
        try await connection.write("HTTP/1.1 \(status) X\r\n\(labels)\r\n\r\n\(body)")
    }
}
