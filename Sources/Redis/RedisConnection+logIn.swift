extension RedisConnection {
    /// No key at all: deleting it is a write that changes nothing. Named by each connection as it logs in.
    package static let nothing = "gateway/nothing"

    /// AUTH, SELECT, CLIENT SETNAME, PING and a write that changes nothing, in one write. A replica is no place for any
    /// of the gateway's connections, those that only read and listen neither: after a failover they would hear of
    /// nothing any longer.
    func logIn() async throws(RedisError) {
        var commands: [RedisCommand] = []
        if let password = endpoint.password {
            var command = RedisCommand("AUTH")
            if let username = endpoint.username { command.append(username) }
            command.append(password.reveal())
            commands.append(command)
        }
        commands.append(RedisCommand("SELECT", endpoint.database))
        // For `CLIENT LIST`, where a person looks; a server that forbids it is good enough.
        commands.append(RedisCommand("CLIENT", "SETNAME", "metadata-gateway"))
        commands.append(RedisCommand("PING"))
        commands.append(RedisCommand("DEL", Self.nothing))
        let replies = try await send(batch: commands, timeout: endpoint.connectTimeout)
        if endpoint.password != nil, case .error(let reply) = replies[0], let word = RedisError(reply: reply).serverCode
        {
            // The reply itself may repeat the password.
            throw RedisError(
                .server(word), "\(endpoint) refused the log-in (\(word)); check the user name and the password")
        }
        if case .error(let reply) = replies[commands.count - 1], RedisRefusal.code(of: reply) == "READONLY" {
            throw RedisError(.server("READONLY"), "\(endpoint) is not ready: \(reply)")
        }
        for reply in [replies[commands.count - 4], replies[commands.count - 2]] {
            do throws(RedisError) {
                _ = try reply.get()
            } catch {
                throw RedisError(error.code, "\(endpoint) is not ready: \(error.message)")
            }
        }
    }
}
