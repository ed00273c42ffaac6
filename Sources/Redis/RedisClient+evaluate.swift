extension RedisClient {
    /// Runs a script by its digest; a server that does not know it (restarted, failed over, flushed) is sent the
    /// source, once.
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
            return try await send(
                script.command("EVALSHA", body: script.digest, keys: keys, appendArguments: appendArguments),
                timeout: timeout)
        } catch  where error.serverCode == "NOSCRIPT" {
            return try await send(
                script.command("EVAL", body: script.source, keys: keys, appendArguments: appendArguments),
                timeout: timeout)
        }
    }

    /// Runs a script and calls back with its answer, always later and on ``eventLoop``.
    /// - Parameters:
    ///   - keyCount: the number of the arguments that are keys (`KEYS`). They come first.
    ///   - timeout: the longest wait, instead of the endpoint's.
    ///   - appendArguments: appends keys and arguments; once more for a server that does not know the script.
    ///   - completion: takes the answer, or what the function that waits for it throws. It must not block.
    package func evaluate(
        _ script: RedisScript, keyCount: Int, timeout: Duration? = nil,
        appendArguments: @escaping @Sendable (inout RedisCommand) -> Void,
        completion: @escaping @Sendable (Result<RedisValue, RedisError>) -> Void
    ) {
        var command = RedisCommand("EVALSHA", script.digest, keyCount)
        appendArguments(&command)
        send(command, timeout: timeout) { [self] result in
            guard case .failure(let error) = result, error.serverCode == "NOSCRIPT" else { return completion(result) }
            var command = RedisCommand("EVAL", script.source, keyCount)
            appendArguments(&command)
            send(command, timeout: timeout, completion: completion)
        }
    }
}

extension RedisScript {
    fileprivate func command(
        _ verb: String, body: String, keys: [String], appendArguments: (inout RedisCommand) -> Void
    ) -> RedisCommand {
        var command = RedisCommand(verb, body, keys.count)
        command.append(contentsOf: keys)
        appendArguments(&command)
        return command
    }
}
