import FoundationEssentials
import Glibc
import Testing

@testable import GatewayCommand

/// Where `traces --out` writes.
@Suite struct OutputFileTests {
    private static let line = Array("{}\n".utf8)

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func write(to name: String) throws {
        let file = try OutputFile(name)
        try file.write(Self.line)
        try file.keep()
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : 0
    }

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test func `a new file is its owners`() throws {
        try withFolder { folder in
            try write(to: folder + "/a")
            #expect(text(folder + "/a") == "{}\n" && mode(folder + "/a") & 0o777 == 0o600)
            #expect(try names(in: folder) == ["a"])
        }
    }

    @Test func `a file is replaced when all is there`() throws {
        try withFolder { folder in
            try "old".write(toFile: folder + "/a", atomically: false, encoding: .utf8)
            chmod(folder + "/a", 0o640)
            let file = try OutputFile(folder + "/a")
            try file.write(Self.line)
            #expect(text(folder + "/a") == "old")
            file.discard()
            #expect(try names(in: folder) == ["a"] && text(folder + "/a") == "old")
            try write(to: folder + "/a")
            #expect(text(folder + "/a") == "{}\n" && mode(folder + "/a") & 0o777 == 0o640)
        }
    }

    /// Relative and absolute, of links, to a file that is there and to one that is not.
    @Test(arguments: [
        ["real"], ["sub/real"], ["l2", "real"], ["sub/l2", "../real"], ["/real"], ["l2", "l3", "sub/new"], ["new"],
    ])
    func `links are followed`(links: [String]) throws {
        try withFolder { folder in
            mkdir(folder + "/sub", 0o700)
            var path = folder + "/link"
            for link in links {
                let target = link.hasPrefix("/") ? folder + link : link
                #expect(symlink(target, path) == 0)
                path = target.hasPrefix("/") ? target : path[...path.lastIndex(of: "/")!] + target
            }
            if !links.contains("new") { try "old".write(toFile: path, atomically: false, encoding: .utf8) }
            try write(to: folder + "/link")
            #expect(
                text(path) == "{}\n" && mode(path) & S_IFMT == S_IFREG && mode(folder + "/link") & S_IFMT == S_IFLNK)
        }
    }

    @Test func `device and pipe stay what they are`() throws {
        try withFolder { folder in
            try write(to: "/dev/null")
            #expect(mode("/dev/null") & S_IFMT == S_IFCHR)
            #expect(symlink("/dev/null", folder + "/null") == 0)
            try write(to: folder + "/null")
            #expect(mode(folder + "/null") & S_IFMT == S_IFLNK)
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            let reader = open(folder + "/pipe", O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            try write(to: folder + "/pipe")
            var bytes = [UInt8](repeating: 0, count: 10)
            #expect(read(reader, &bytes, 10) == 3 && mode(folder + "/pipe") & S_IFMT == S_IFIFO)
            #expect(try names(in: folder) == ["null", "pipe"])
        }
    }

    /// Standard output and its like, sent to a file: what stands there already stays, and what comes is written behind
    /// it.
    @Test(arguments: ["/dev/fd/", "/proc/self/fd/", "link to /dev/fd/", "link to /proc/self/fd/"])
    func `an open file is written where it stands`(
        way: String
    ) throws {
        try withFolder { folder in
            let descriptor = open(folder + "/a", O_RDWR | O_CREAT, 0o644)
            defer { close(descriptor) }
            #expect(Glibc.write(descriptor, "old\n", 4) == 4)
            var before = stat()
            fstat(descriptor, &before)
            var name = "\(way)\(descriptor)"
            if way.hasPrefix("link to ") {
                #expect(symlink(String(name.dropFirst("link to ".count)), folder + "/link") == 0)
                name = folder + "/link"
            }
            try write(to: name)
            #expect(Glibc.write(descriptor, "new\n", 4) == 4, "it is still open")
            #expect(text(folder + "/a") == "old\n{}\nnew\n")
            var after = stat()
            #expect(lstat(folder + "/a", &after) == 0 && after.st_ino == before.st_ino)
            #expect(try names(in: folder).filter { $0 != "link" } == ["a"])
        }
    }

    @Test func `an open pipe is written through`() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        try write(to: "/dev/fd/\(ends[1])")
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(read(ends[0], &bytes, 10) == 3)
    }

    @Test func `what cannot be written is said`() throws {
        try withFolder { folder in
            #expect(symlink("loop", folder + "/loop") == 0)
            for name in [folder, folder + "/loop", folder + "/none/a", "/dev/full"] {
                #expect(throws: OutputFile.Failure.self, "\(name)") { try write(to: name) }
            }
            let left = try names(in: folder)
            #expect(left == ["loop"])
        }
    }

    @Test func `anothers file under the first name is not written`() throws {
        try withFolder { folder in
            try "other".write(toFile: folder + "/a.part", atomically: false, encoding: .utf8)
            try write(to: folder + "/a")
            #expect(text(folder + "/a.part") == "other")
        }
    }
}
