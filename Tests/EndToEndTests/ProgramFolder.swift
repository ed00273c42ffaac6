import Common
import FoundationEssentials
import Redis
import TestSupport
import Testing

/// The folder in which a program runs: its working directory, with `data` in it.
struct ProgramFolder {
    /// What a program gets that a test does not set otherwise. Beside other tests a redis-server may stand still for
    /// longer than the usual timeout, and then a refusal would be right and the test would fail.
    private static let defaults = ["REDIS_COMMAND_TIMEOUT_MS": "\(RedisServer.patience.milliseconds)"]

    let path: String

    /// The redis-server that a `serve` in this folder starts.
    var redis: RedisEndpoint { RedisEndpoint(.unix(path: path + "/data/redis.sock")) }

    /// Lends a folder to `body`, and removes it afterwards together with a redis-server that a killed program left
    /// behind in it.
    static func with(_ body: (ProgramFolder) async throws -> Void) async throws {
        let folder = ProgramFolder(path: try RedisServer.makeFolder())
        defer { RedisServer.removeFolder(folder.path) }
        let result: Result<Void, any Error>
        do { result = .success(try await body(folder)) } catch { result = .failure(error) }
        if case .failure = result, FileManager.default.fileExists(atPath: folder.path + "/data/redis.sock") {
            _ = try? await withRedisClient(folder.redis) { try await $0.send(RedisCommand("SHUTDOWN", "NOSAVE")) }
        }
        try result.get()
    }

    /// Writes a file that only its owner may read.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "/" + name)
    }

    /// Runs a program here until it ends by itself.
    func run(
        _ program: String, arguments: [String], environment: [String: String] = [:], openFiles: Int? = nil
    ) async throws -> GatewayProcess.Ending {
        try await withProcess(
            program, arguments: arguments, environment: Self.defaults.merging(environment) { $1 }, in: path,
            openFiles: openFiles,
            endsByItself: true
        ) { _ in }
    }

    /// Runs a program here while `body` runs.
    func run(
        _ program: String, arguments: [String], environment: [String: String] = [:], openFiles: Int? = nil,
        body: (GatewayProcess) async throws -> Void
    ) async throws -> GatewayProcess.Ending {
        try await withProcess(
            program, arguments: arguments, environment: Self.defaults.merging(environment) { $1 }, in: path,
            openFiles: openFiles,
            body: body)
    }

    /// Runs `serve` on a free port, with what `body` needs to call it.
    func serve(
        _ program: String = "metadata-gateway", environment: [String: String] = [:],
        _ body: (GatewayProcess, _ port: Int) async throws -> Void
    ) async throws -> GatewayProcess.Ending {
        var variables = ["PORT": "0", "TRACESTORE_PORT": "0"]
        variables.merge(environment) { $1 }
        return try await run(program, arguments: ["serve"], environment: variables) { process in
            let line = try await process.line(with: "listens on http://")
            try await process.line(with: "Stop it with Ctrl-C.")
            try await body(process, try port(in: line))
        }
    }

    /// The mode of a file here.
    func mode(of name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int
    }

    /// All files below the folder, as bytes.
    func contents() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            guard let bytes = FileManager.default.contents(atPath: path + "/" + name) else { continue }
            files[name] = Array(bytes)
        }
        return files
    }
}

/// The port in a line such as `… listens on http://127.0.0.1:4000`.
func port(in line: String) throws -> Int {
    try #require(line.split(separator: ":").last.flatMap { Int($0) }, "no port in “\(line)”")
}
