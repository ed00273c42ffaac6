import Common
import FoundationEssentials
import Glibc
import Testing

@testable import GatewayCommand

/// The folder of `serve`: its key, and who may read what lies there.
@Suite(.serialized) struct DataDirectoryTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "data-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    private func make(_ path: String, _ text: String = "x") throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o644)
    }

    @Test func `what was there is closed to others`() throws {
        try withFolder { folder in
            mkdir(folder + "/appendonlydir", 0o755)
            let names = [
                "traces.sqlite", "traces.sqlite-wal", "traces.sqlite-shm", "redis.log", "dump.rdb", "langfuse.env",
                "appendonlydir/appendonly.aof.1.base.rdb", "appendonlydir/appendonly.aof.manifest",
            ]
            for name in names { try make("\(folder)/\(name)") }
            try make(folder + "/mine.txt")
            try make(folder + "/outside")
            #expect(symlink(folder + "/outside", folder + "/appendonly.aof") == 0)
            _ = try DataDirectory(folder)
            for name in names { #expect(mode("\(folder)/\(name)") == 0o600, "\(name)") }
            #expect(mode(folder + "/appendonlydir") == 0o700)
            // What is not the gateway's own stays as it is, also behind a link.
            #expect(mode(folder + "/mine.txt") == 0o644 && mode(folder + "/outside") == 0o644)
        }
    }

    @Test func `a key is made once and kept`() throws {
        try withFolder { folder in
            let data = try DataDirectory(folder)
            let key = try data.key()
            #expect(try data.key() == key && mode(folder + "/gateway.key") == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["gateway.key", "lock"])
        }
    }

    /// What a full disk left: nothing was sealed with it yet.
    @Test func `an empty key is made anew`() throws {
        try withFolder { folder in
            try make(folder + "/gateway.key", "")
            try make(folder + "/gateway.key.part", "half")
            let data = try DataDirectory(folder)
            let key = try data.key()
            #expect(try data.key() == key)
        }
    }

    @Test(arguments: [
        ("", true), ("\n", false), ("AAAA", false), ("AAAA", true), ("\u{0}\u{1}", false),
        (String(repeating: "A", count: 44), false),
    ])
    func `a bad key is said and kept`(text: String, isSealed: Bool) throws {
        try withFolder { folder in
            try make(folder + "/gateway.key", text)
            if isSealed { mkdir(folder + "/appendonlydir", 0o700) }
            let data = try DataDirectory(folder)
            #expect(throws: (any Error).self) { try data.key() }
            #expect(try String(contentsOfFile: folder + "/gateway.key", encoding: .utf8) == text)
        }
    }
}
