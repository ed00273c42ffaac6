internal import CHiredis

/// A Redis command: its name and arguments, binary safe.
///
/// All arguments lie in one flat buffer, so a command costs two allocations however many arguments it has.
/// ```
/// var command = RedisCommand("XADD", key, "NOMKSTREAM", "*")
/// command.append("frame")
/// command.append(sealedBytes)
/// ```
package struct RedisCommand: Sendable {
    private var bytes: [UInt8] = []
    private var lengths: [Int] = []

    /// - Parameters:
    ///   - name: the command, such as `XADD`.
    ///   - arguments: what follows it: strings, integers and bytes.
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
    package mutating func append(_ number: Int) { append(bytes: String(number).utf8) }

    /// Appends each element as an argument.
    package mutating func append<Argument: RedisArgument>(contentsOf arguments: some Sequence<Argument>) {
        for argument in arguments { argument.append(to: &self) }
    }

    /// Appends one argument from its bytes.
    package mutating func append(bytes argument: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: argument)
        lengths.append(bytes.count - start)
    }

    /// The bytes that the arguments hold together, without the protocol's framing.
    package var byteCount: Int { bytes.count }

    /// Calls `body` with the command as RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/), formatted
    /// by hiredis.
    /// - Returns: nil if memory was short or the command is larger than hiredis formats (2 GiB).
    func withFormatted<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        bytes.withUnsafeBufferPointer { flat in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: lengths.count) { pointers in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: lengths.count) { counts in
                    var offset = 0
                    for (index, length) in lengths.enumerated() {
                        pointers[index] = flat.baseAddress.map {
                            UnsafeRawPointer($0 + offset).assumingMemoryBound(to: CChar.self)
                        }
                        counts[index] = length
                        offset += length
                    }
                    var formatted: UnsafeMutablePointer<CChar>?
                    let count = chiredis_format(
                        &formatted, Int32(lengths.count), pointers.baseAddress, counts.baseAddress)
                    guard count > 0, let formatted else { return nil }
                    defer { redisFreeCommand(formatted) }
                    return body(UnsafeRawBufferPointer(start: formatted, count: Int(count)))
                }
            }
        }
    }
}
