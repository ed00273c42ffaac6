internal import NIOCore

/// A Redis command: its name and arguments, binary safe.
///
/// It is written in the protocol's form as it grows, in one buffer, so that it is copied once more only: into what is
/// sent. That form is RESP's, an array of bulk strings
/// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
/// ```
/// var command = RedisCommand("XADD", key, "NOMKSTREAM", "*")
/// command.append("frame")
/// command.append(sealedBytes)
/// ```
package struct RedisCommand: Sendable {
    /// The arguments, each with its length before it.
    private var encoded: [UInt8] = []
    private var count = 0
    /// The bytes that the arguments hold together, without the protocol's framing.
    package private(set) var byteCount = 0

    /// - Parameters:
    ///   - name: the command, such as `XADD`.
    ///   - arguments: the arguments behind it: strings, integers and bytes.
    package init<each Argument: RedisArgument>(_ name: String, _ arguments: repeat each Argument) {
        append(name)
        repeat (each arguments).append(to: &self)
    }

    /// Appends one argument.
    package mutating func append(_ argument: some RedisArgument) { argument.append(to: &self) }

    // For those who make commands often in another target, where what is generic is not specialised.

    /// Appends a text as one argument.
    package mutating func append(_ text: String) { append(bytes: text.utf8) }
    /// Appends bytes as one argument.
    package mutating func append(_ bytes: [UInt8]) { append(bytes: bytes) }
    /// Appends a number, in decimal, as one argument.
    package mutating func append(_ number: Int) {
        RESPNumber.withDecimal(number) { append(bytes: $0) }
    }

    /// Appends each element as an argument.
    package mutating func append<Argument: RedisArgument>(contentsOf arguments: some Sequence<Argument>) {
        for argument in arguments { argument.append(to: &self) }
    }

    /// Appends one argument from its bytes.
    package mutating func append(bytes argument: some Collection<UInt8>) {
        let length = argument.count
        RESPNumber.withLine(of: length, behind: UInt8(ascii: "$")) { encoded.append(contentsOf: $0) }
        encoded.append(contentsOf: argument)
        encoded.append(UInt8(ascii: "\r"))
        encoded.append(UInt8(ascii: "\n"))
        count += 1
        byteCount += length
    }

    /// The bytes that ``write(to:)`` writes.
    var encodedCount: Int {
        RESPNumber.withLine(of: count, behind: UInt8(ascii: "*")) { $0.count } + encoded.count
    }

    /// Writes the command as it is sent.
    func write(to buffer: inout ByteBuffer) {
        RESPNumber.withLine(of: count, behind: UInt8(ascii: "*")) { _ = buffer.writeBytes($0) }
        buffer.writeBytes(encoded)
    }
}
