package import Common
internal import FoundationEssentials
internal import Glibc
internal import NIOConcurrencyHelpers
package import Redis

/// A private redis-server on a Unix socket in a folder of its own. It signals only the process that it started.
package final class RedisServer: Sendable {
    package struct Options: Sendable {
        /// Whether to listen on a free port of 127.0.0.1 too.
        package var listensOnTCP = false
        /// Whether to keep an append-only file, synced on each write, so that ``RedisServer/kill()`` loses nothing.
        package var isDurable = false
        /// What a client must give to enter.
        package var password: SecretString?
        /// More of redis-server's own arguments, such as `["--maxmemory", "1mb"]`.
        package var arguments: [String] = []

        /// A server on its socket alone, without persistence or password.
        package init() {}
    }

    /// What keeps a test from having its server.
    package struct StartError: Error, CustomStringConvertible {
        /// What was wrong, and the server's log where it has one.
        package let description: String
    }

    /// How long a client waits for an answer. On a busy machine a server can be without a core for seconds, and a test
    /// whose command was given up waits in vain for what follows from it.
    package static let patience = Duration.seconds(10)

    /// Holds the socket, the log and the data.
    package let folder: String
    /// The endpoint on the socket, with the password.
    package let endpoint: RedisEndpoint
    /// The endpoint on 127.0.0.1; nil unless asked for.
    package let tcpEndpoint: RedisEndpoint?
    private let port: ReservedPort?
    private let arguments: [String]
    private let process = NIOLockedValueBox<pid_t?>(nil)

    init(_ options: Options) throws {
        folder = try Self.makeFolder()
        var endpoint = RedisEndpoint(.unix(path: folder + "/redis.sock"))
        endpoint.commandTimeout = Self.patience
        endpoint.password = options.password
        port = options.listensOnTCP ? try ReservedPort() : nil
        var tcpEndpoint = endpoint
        tcpEndpoint.address = .tcp(host: "127.0.0.1", port: port?.number ?? 0)
        var arguments = [
            "redis-server", "--unixsocket", folder + "/redis.sock", "--port", "\(port?.number ?? 0)", "--bind",
            "127.0.0.1",
        ]
        arguments += ["--dir", folder, "--logfile", folder + "/redis.log", "--save", "", "--daemonize", "no"]
        if options.isDurable { arguments += ["--appendonly", "yes", "--appendfsync", "always"] }
        if let password = options.password { arguments += ["--requirepass", password.reveal()] }
        self.endpoint = endpoint
        self.tcpEndpoint = options.listensOnTCP ? tcpEndpoint : nil
        self.arguments = arguments + options.arguments
    }

    /// Starts the server and returns when it answers.
    package func start() async throws {
        precondition(process.withLockedValue { $0 } == nil, "this server runs already")
        let started = try Self.spawn(arguments)
        process.withLockedValue { $0 = started }
        do {
            try await withRedisClient(endpoint) { _ in }
        } catch {
            let log = (try? String(contentsOfFile: folder + "/redis.log", encoding: .utf8)) ?? "no log"
            throw StartError(description: "redis-server does not answer: \(error)\n\(log)")
        }
    }

    /// Stops the process where it stands (SIGSTOP): its sockets stay, nothing answers.
    package func pause() { signal(SIGSTOP) }

    /// Lets a paused process go on.
    package func resume() { signal(SIGCONT) }

    /// Ends the process at once (SIGKILL), as a crash would, and returns when it is gone.
    package func kill() {
        signal(SIGKILL)
        process.withLockedValue { process in
            if let ended = process.take() { waitpid(ended, nil, 0) }
        }
    }

    /// Starts a killed server, or kills and starts a running one, on the same data and addresses.
    package func restart() async throws {
        kill()
        try await start()
    }

    func remove() {
        kill()
        port?.release()
        Self.removeFolder(folder)
    }

    private func signal(_ number: Int32) {
        process.withLockedValue { process in
            if let process { _ = Glibc.kill(process, number) }
        }
    }
}

/// Runs `body` with a private redis-server, which is stopped and removed with all its data when the body ends, also by
/// an error.
package func withRedisServer<Result>(
    _ options: RedisServer.Options = .init(), _ body: (RedisServer) async throws -> Result
) async throws -> Result {
    let server = try RedisServer(options)
    defer { server.remove() }
    try await server.start()
    return try await body(server)
}
