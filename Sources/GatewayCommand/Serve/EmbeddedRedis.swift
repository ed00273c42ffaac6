internal import ArgumentParser
internal import Common
internal import FoundationEssentials
internal import Logging
internal import Redis
internal import ServiceLifecycle
internal import Subprocess

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// A redis-server of the gateway's own: on a unix socket that only this user can open, with an append-only file in the
/// data folder. It is started again if it dies, and stopped with the gateway.
struct EmbeddedRedis: NamedService {
    /// `sun_path` of sockaddr_un holds 108 bytes, the closing zero included.
    private static let longestSocketPath = 107

    let endpoint: RedisEndpoint
    /// Opens when the server answers.
    let ready = Latch()
    private let program: String
    private let folder: String
    private let socket: String
    private let logger: Logger

    init(program: String, folder: DataDirectory, commandTimeout: Duration, logger: Logger) throws {
        self.program = program
        self.folder = folder.path
        self.logger = logger
        socket = folder.path + "/redis.sock"
        guard socket.utf8.count <= Self.longestSocketPath else {
            throw Bootstrap.failure(
                "environment: DATA_DIR: `\(folder.path)` is too long for a socket in it (\(Self.longestSocketPath) bytes); choose a shorter one"
            )
        }
        var endpoint = RedisEndpoint(.unix(path: socket))
        endpoint.commandTimeout = commandTimeout
        self.endpoint = endpoint
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup { group in
                await stopLeftover()
                group.addTask { try await keepServing() }
                group.addTask { await openWhenReady() }
                for try await _ in group {}
            }
        }
    }

    private func openWhenReady() async {
        await withClient { client in
            while !Task.isCancelled {
                guard (try? await client.waitUntilReady(timeout: .seconds(1))) != nil else { continue }
                return ready.open()
            }
        }
    }

    private func keepServing() async throws {
        while !Task.isCancelled {
            try await serve()
            guard !Task.isCancelled else { return }
            logger.error("redis-server ended by itself; starting it again", metadata: ["log": "\(folder)/redis.log"])
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Runs the server until it ends or the task is cancelled.
    private func serve() async throws {
        var options = PlatformOptions()
        // A Ctrl-C goes to the whole process group of the terminal; the server must outlive the parts that still use
        // it.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        do {
            _ = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                // The server needs none of the keys that this process was given.
                environment: .custom(["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]),
                workingDirectory: FilePath(folder),
                platformOptions: options, input: .none, output: .discarded, error: .discarded)
        } catch let error as SubprocessError where !Task.isCancelled {
            logger.critical("cannot start redis-server", metadata: ["program": "\(program)", "error": "\(error)"])
            throw Bootstrap.failure(
                "environment: REDIS_SERVER_PATH: `\(program)` cannot be started; install redis-server (`make run` does), or name a Redis with REDIS_HOST"
            )
        }
    }

    private var arguments: [String] {
        [
            "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", folder, "--logfile",
            folder + "/redis.log",
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "no",
            "--protected-mode", "yes",
            // Nearly all that it holds is sealed, so that a rewriting of its file would try to compress it in vain.
            "--rdbcompression", "no",
        ]
    }

    /// A gateway that was killed leaves its server behind. That one is asked to save and stop, so that two never write
    /// the same files.
    private func stopLeftover() async {
        await withClient { client in
            guard (try? await client.waitUntilReady(timeout: .milliseconds(100))) != nil else { return }
            logger.notice("stopping the redis-server that an earlier gateway left behind")
            _ = try? await client.send(RedisCommand("SHUTDOWN"), timeout: .seconds(10))
        }
    }

    /// Lends a client whose failures are expected, and are not logged.
    private func withClient(_ body: (RedisClient) async -> Void) async {
        let client = RedisClient(endpoint, logger: Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() })
        await withTaskGroup { group in
            group.addTask { try? await client.run() }
            await body(client)
            group.cancelAll()
        }
    }
}
