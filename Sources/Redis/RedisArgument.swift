/// A value that can stand as arguments of a Redis command. Redis knows byte strings only; numbers travel in decimal.
package protocol RedisArgument {
    /// Appends this value to `command`.
    func append(to command: inout RedisCommand)
}

extension String: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: utf8) }
}

extension Substring: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: utf8) }
}

extension Int: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(self) }
}

extension [UInt8]: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: self) }
}

extension ArraySlice<UInt8>: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: self) }
}
