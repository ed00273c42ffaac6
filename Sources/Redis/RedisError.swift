/// The failure of a Redis command: no answer, or a refusal. Names the server by address, and no command's arguments.
package struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: Sendable, Hashable {
        /// Not connected, or too many bytes wait to be sent. The command was not sent.
        case unavailable
        /// The command is larger than all bytes that may wait to be sent. It was not sent.
        case commandTooLarge
        /// The connection ended before the answer.
        case connectionLost
        /// No answer within the command's time. The connection was closed.
        case timeout
        /// The peer broke the protocol, or its reply was larger than accepted. The connection was closed.
        case protocolError
        /// The server refused; its code word, such as `NOSCRIPT`, `NOGROUP`, `OOM`, `LOADING`, `READONLY` or `BUSY`.
        case server(String)
        /// The endpoint's configuration cannot work, such as a certificate file that cannot be read.
        case configuration
    }

    /// The kind of the failure.
    package var code: Code
    /// The fault, its place, and its repair.
    package var message: String
    /// The server's code word, where there is no connection because the server refuses it.
    private var refusedWith: String?

    /// An error of a kind, with the message for a person.
    /// - Parameter refusal: the server's code word, if it is the server that refuses to be connected to.
    package init(_ code: Code, _ message: String, refusal: String? = nil) {
        self.code = code
        self.message = message
        refusedWith = refusal
    }

    /// The server's code word, if it refused the command or the connection.
    package var refusal: String? { serverCode ?? refusedWith }

    /// Whether the command may have taken effect although no answer came. A refusal by the server is an answer: false.
    package var mayHaveBeenExecuted: Bool {
        switch code {
        case .connectionLost, .timeout, .protocolError: true
        case .unavailable, .commandTooLarge, .server, .configuration: false
        }
    }

    /// The server's code word, if it is the server that refused.
    package var serverCode: String? {
        if case .server(let word) = code { word } else { nil }
    }

    package var description: String { "Redis: \(message)" }
}

extension RedisError {
    /// A refusal from its reply. Redis repeats a command's arguments when it does not know the command; they may be
    /// secret, so they go.
    init(reply: String) {
        let safe = reply.firstRange(of: ", with args beginning with").map { reply[..<$0.lowerBound] } ?? reply[...]
        self.init(.server(RedisRefusal.code(of: reply)), String(safe))
    }
}
