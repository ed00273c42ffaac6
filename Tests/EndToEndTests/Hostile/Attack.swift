import TestSupport

/// Something that a hostile provider does instead of answering.
struct Attack: Sendable {
    var name: String
    /// Whether the client asks for a stream.
    var isStream = false
    var run: @Sendable (ScriptedServer.Connection) async throws -> Void
    /// Whether what the client got is what it should get.
    var isRight: @Sendable (CallOutcome) -> Bool

    /// An attack that a client is told of in one certain way.
    init(
        _ name: String, isStream: Bool = false, ends: CallOutcome,
        _ run: @escaping @Sendable (ScriptedServer.Connection) async throws -> Void
    ) {
        self.init(name, isStream: isStream, isRight: { $0 == ends }, run)
    }

    init(
        _ name: String, isStream: Bool = false, isRight: @escaping @Sendable (CallOutcome) -> Bool,
        _ run: @escaping @Sendable (ScriptedServer.Connection) async throws -> Void
    ) {
        self.name = name
        self.isStream = isStream
        self.isRight = isRight
        self.run = run
    }

    /// An attack that is one text, after which the connection ends.
    init(_ name: String, ends: CallOutcome, saying text: String) {
        self.init(name, isRight: { $0 == ends }, saying: text)
    }

    init(_ name: String, isRight: @escaping @Sendable (CallOutcome) -> Bool, saying text: String) {
        self.init(name, isRight: isRight) { try await $0.write(text) }
    }
}

extension ScriptedServer.Connection {
    static let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    static let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    static let chunked = "Transfer-Encoding: chunked\r\n\r\n"

    /// Writes `beginning`, and then `piece` until the peer has enough.
    func writeForEver(_ beginning: String, _ piece: [UInt8]) async throws {
        try await write(beginning)
        while true { try await write(piece) }
    }

    /// Writes `beginning`, and then one piece each 20 ms until the peer has enough: never idle, and never done.
    func drip(_ beginning: String, _ piece: String) async throws {
        try await write(beginning)
        while true {
            try await pause(milliseconds: 20)
            try await write(piece)
        }
    }

    /// A piece of a chunked body.
    static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
    }
}
