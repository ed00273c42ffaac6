internal import FoundationEssentials
internal import Subprocess

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

extension RedisServer {
    /// Runs redis-cli on the server, whatever state it is in: the gateway's own client keeps away from a replica.
    /// - Parameter password: what the server asks for now.
    @discardableResult
    package func administer(_ arguments: [String], password: String? = nil) async throws -> String {
        let entry = password.map { ["--no-auth-warning", "-a", $0] } ?? []
        let result = try await Subprocess.run(
            .name("redis-cli"), arguments: Arguments(["-s", folder + "/redis.sock"] + entry + arguments),
            output: .string(limit: 1 << 20),
            error: .discarded)
        return result.standardOutput
    }

    /// Makes the server one that cannot save its data: a folder stands where the file belongs.
    package func breakSaving() async throws {
        try FileManager.default.createDirectory(atPath: folder + "/dump.rdb", withIntermediateDirectories: true)
        try await administer(["CONFIG", "SET", "save", "3600 1"])
        try await administer(["BGSAVE"])
        try await eventually {
            try await self.administer(["INFO", "persistence"]).contains("rdb_last_bgsave_status:err")
        }
    }
}
