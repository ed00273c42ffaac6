import Common
import Crypto
import FoundationEssentials
import HTTPTypes
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Ingress

/// The file of the clients' keys.
struct APIKeysFileTests {
    private static let digest = String(repeating: "0a", count: 32)
    private static let other = String(repeating: "0B", count: 32)

    /// Reads a file that holds `text`.
    private func read(_ text: String) throws -> APIKeyAuth {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        try Data(text.utf8).write(to: URL(filePath: folder + "/keys.yaml"))
        return try APIKeyAuth(file: folder + "/keys.yaml", projects: { ["main", "sibling"] })
    }

    private static func key(_ id: String, sha256: String = digest, projects: String = "[main]") -> String {
        "  - id: \(id)\n    account: team\n    sha256: \(sha256)\n    projects: \(projects)\n"
    }

    @Test(arguments: [
        ("[main]", ["main"]), ("[main, sibling]", ["main", "sibling"]), ("\"*\"", ["main", "sibling", "later"]),
        ("[]", []),
    ])
    func `a key opens the projects that the file names`(projects: String, open: [String]) async throws {
        let digest = SHA256.hash(data: Array("sk-1".utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }
            .joined()
        let auth = try read("keys:\n" + Self.key("a", sha256: digest, projects: projects))
        let account = try #require(try await auth.authenticate(AuthRequest(bearer: "sk-1", method: .get, path: "/")))
        #expect(account.id == "team")
        #expect(["main", "sibling", "later"].filter(account.mayUse) == open)
    }

    /// Each mistake, with line and column. Keys are never repeated.
    @Test(arguments: [
        ("keys:\n" + key("a", sha256: "sk-canary"), "4:13", "64 hex digits"),
        ("keys:\n" + key("a", sha256: String(repeating: "g", count: 64)), "4:13", "64 hex digits"),
        ("keys:\n" + key("a", sha256: digest + "00"), "4:13", "64 hex digits"),
        ("keys:\n" + key("a", projects: "[main, nobody]"), "5:15", "`nobody` is not a project"),
        ("keys:\n" + key("a", projects: "main"), "5:15", "a list of projects"),
        ("keys:\n" + key("a") + key("a", sha256: other), "6:5", "already another key's"),
        ("keys:\n" + key("a") + key("b"), "6:5", "already another entry's"),
        ("keys:\n" + key("a") + key("b", sha256: digest.uppercased()), "6:5", "already another entry's"),
        ("keys:\n  - id: a\n    account: t\n    projects: [main]\n", "2:5", "sha256"),
        ("keys:\n" + key("a") + "    key: sk-canary\n", "6:5", "key"),
        ("keys:\n" + key("a") + "    metadata: {run_id: x}\n", "6:16", "path"),
        ("keys:\n" + key("a") + "    metadata: {tfy_x: x}\n", "6:16", "reserved"),
        ("keys:\n" + key("a") + "    metadata: {a: [x]}\n", "6:19", "text"),
        ("keys:\n" + key("a") + "    metadata: {a: \(String(repeating: "x", count: 129))}\n", "6:19", "128"),
        ("keys:\n" + key("a") + "    teams: search\n", "6:12", "a list"),
        ("keys:\n" + key("a") + "    user: [x]\n", "6:11", "text"),
        ("keys: x\n", "1:7", "list"),
        ("kees: []\n", "1:1", "kees"),
        ("keys: [\n", "2:1", ""),
    ])
    func `a mistake is said with its place`(text: String, place: String, part: String) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(
            error?.description.contains("keys.yaml:\(place): error: ") == true, "\(error?.description ?? "no error")")
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "no error")")
        #expect(error?.description.contains("sk-canary") == false)
    }

    @Test func `a key says whom it is for`() async throws {
        let digest = SHA256.hash(data: Array("sk-1".utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }
            .joined()
        let more =
            "    user: ada@example.com\n    teams: [search, ads]\n    metadata: {team: search, cost_centre: 17}\n"
        let auth = try read("keys:\n" + Self.key("a", sha256: digest) + more)
        let account = try #require(try await auth.authenticate(AuthRequest(bearer: "sk-1", method: .get, path: "/")))
        #expect(account.user == "ada@example.com" && account.teams == ["search", "ads"])
        #expect(account.metadata == ["team": "search", "cost_centre": "17"])
    }

    @Test func `all mistakes are said at once`() {
        let text =
            "keys:\n" + Self.key("a", sha256: "short") + Self.key("b", projects: "[nobody]") + Self.key("c")
            + Self.key("c", sha256: Self.other)
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.problems.count == 3)
    }

    @Test func `a file that is not there is said`() {
        let error = #expect(throws: ConfigurationError.self) {
            try APIKeyAuth(file: "/nonexistent/keys.yaml", projects: { [] })
        }
        #expect(error?.description.contains("/nonexistent/keys.yaml") == true)
    }

    @Test func `a file that cannot be read again changes nothing`() async throws {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        let path = folder + "/keys.yaml"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) }
        let mine = SHA256.hash(data: Array("sk-1".utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
        try write("keys:\n" + Self.key("a", sha256: mine))
        let auth = try APIKeyAuth(file: path, projects: { ["main"] })
        let file = try #require(auth.file)
        func opens() async -> Bool {
            (try? await auth.authenticate(AuthRequest(bearer: "sk-1", method: .get, path: "/"))) != nil
        }
        #expect(try file.keysIfChanged() == nil, "it is the same")
        #expect(await opens())
        try write("keys: [\n")
        #expect(throws: ConfigurationError.self) { try file.keysIfChanged() }
        #expect(try file.keysIfChanged() == nil, "it is said once")
        try FileManager.default.removeItem(atPath: path)
        auth.refresh(logger: .silent)
        #expect(await opens(), "neither a mistake nor its absence takes a key away")
        try write("keys:\n" + Self.key("b", sha256: Self.other))
        auth.refresh(logger: .silent)
        #expect(await !opens())
        try write("keys:\n" + Self.key("a", sha256: mine) + Self.key("b", sha256: Self.other))
        auth.refresh(logger: .silent)
        #expect(await opens())
    }

    /// A key for a project that the secrets gain later opens it, although the file of the keys stays as it is.
    @Test func `a project that comes later is no mistake any longer`() async throws {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        let path = folder + "/keys.yaml"
        let mine = SHA256.hash(data: Array("sk-1".utf8)).map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
        try Data(("keys:\n" + Self.key("a", sha256: mine)).utf8).write(to: URL(filePath: path))
        let projects = NIOLockedValueBox<Set<UTF8Text>>(["main"])
        let auth = try APIKeyAuth(file: path, projects: { projects.withLockedValue { $0 } })
        func account() async throws -> Account? {
            try await auth.authenticate(AuthRequest(bearer: "sk-1", method: .get, path: "/"))
        }
        try Data(("keys:\n" + Self.key("a", sha256: mine, projects: "[main, later]")).utf8).write(
            to: URL(filePath: path), options: .atomic)
        auth.refresh(logger: .silent)
        #expect(try await account()?.mayUse("later") == false)
        projects.withLockedValue { $0 = ["main", "later"] }
        auth.refresh(logger: .silent)
        #expect(try await account()?.mayUse("later") == true)
    }

    @Test func `a change is taken over within two seconds`() { #expect(APIKeyAuth.lookInterval <= .seconds(1)) }
}
