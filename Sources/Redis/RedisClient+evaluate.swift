extension RedisClient {
    /// Runs a script by its digest; a server that does not know it (restarted, failed over, flushed) is sent the source, once.
    /// - Parameters:
    ///   - keys: the keys that it touches (`KEYS`).
    ///   - arguments: its other arguments (`ARGV`).
    ///   - timeout: the longest wait, instead of the endpoint's.
    /// - Throws: as ``send(_:timeout:)``.
    package func evaluate<each Argument: RedisArgument>(
        _ script: RedisScript, keys: [String], arguments: repeat each Argument, timeout: Duration? = nil
    ) async throws(RedisError) -> RedisValue {
        try await evaluate(script, keys: keys, timeout: timeout) { command in
            repeat (each arguments).append(to: &command)
        }
    }

    /// Runs a script whose arguments are as many as `appendArguments` appends.
    package func evaluate(
        _ script: RedisScript, keys: [String], timeout: Duration? = nil, appendArguments: (inout RedisCommand) -> Void
    ) async throws(RedisError) -> RedisValue {
        do {
            return try await send(script.command("EVALSHA", script.digest, keys, appendArguments), timeout: timeout)
        } catch  where error.serverCode == "NOSCRIPT" {
            return try await send(script.command("EVAL", script.source, keys, appendArguments), timeout: timeout)
        }
    }
}

extension RedisScript {
    fileprivate func command(_ verb: String, _ body: String, _ keys: [String], _ appendArguments: (inout RedisCommand) -> Void) -> RedisCommand {
        var command = RedisCommand(verb, body, keys.count)
        command.append(contentsOf: keys)
        appendArguments(&command)
        return command
    }
}
