import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

/// The data folder of a `serve` that runs.
@Suite(.timeLimit(.minutes(5)), .serialized) struct DataFolderTests {
    /// Folders and files that others may read, by their path; the lock and the socket hold nothing.
    private func open(_ folder: ProgramFolder) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/data").filter { name in
            var status = stat()
            return lstat("\(folder.path)/data/\(name)", &status) == 0 && status.st_mode & 0o077 != 0
        }
    }

    private func call(_ port: Int) async throws {
        let answer = try await withRawClient(to: port) {
            try await $0.call("POST", ServeTests.path, body: ServeTests.body("mock/echo"))
        }
        #expect(answer.status == 200)
    }

    /// A disk that is full at the first start: no part of a key is left, and the next start makes one.
    @Test func `a full disk at the first start leaves no key`() async throws {
        try await ProgramFolder.with { folder in
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let build = program[..<(program.lastIndex(of: "/") ?? program.endIndex)]
            // A process that may write no byte into a file: its writes fail, as those to a full disk do.
            let full = try await Subprocess.run(
                .name("sh"),
                arguments: [
                    "-c", "trap '' XFSZ; ulimit -f 0; cd \"$1\" && exec \"$0\" serve 2>&1", "\(build)/metadata-gateway",
                    folder.path,
                ],
                environment: .inherit.updating(["PORT": "0", "TRACESTORE_PORT": "0"]),
                output: .string(limit: 1 << 16), error: .discarded)
            let said = full.standardOutput
            #expect(full.terminationStatus == .exited(78) && said.contains("gateway.key: cannot be written"), "\(said)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data") == ["lock"])
            let ending = try await folder.serve { _, port in try await call(port) }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// The file is written again without a restart, with what it held and what came meanwhile.
    @Test func `traces outlive a deleted store`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { process, port in
                try await call(port)
                try await untilTraced(1, port)
                for name in ["", "-wal", "-shm"] { unlink("\(folder.path)/data/traces.sqlite\(name)") }
                try await process.line(with: "was deleted or moved")
                try await call(port)
                try await process.line(with: "was written again")
                try await untilTraced(2, port)
                let ready = try await withRawClient(to: port) { try await $0.call("GET", "/ready") }
                #expect(ready.status == 200 && !ready.text.contains("traces.sqlite"), "\(ready.text)")
                #expect(try open(folder) == [])
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// What is taken while another file stands in the store's place waits, and is exported after the next start.
    @Test func `traces outlive a replaced store`() async throws {
        try await ProgramFolder.with { folder in
            let path = folder.path + "/data/traces.sqlite"
            _ = try await folder.serve { process, port in
                try "another".write(toFile: path + ".new", atomically: false, encoding: .utf8)
                #expect(rename(path + ".new", path) == 0)
                try await process.line(with: "was replaced while it was in use")
                try await call(port)
                let ready = try await withRawClient(to: port) { try await $0.call("GET", "/ready") }
                #expect(ready.status == 200 && ready.text.contains("was replaced while it was in use"), "\(ready.text)")
            }
            for name in ["", "-wal", "-shm"] { unlink(path + name) }
            _ = try await folder.serve { _, port in try await untilTraced(1, port) }
        }
    }

    private func untilTraced(_ count: Int, _ port: Int) async throws {
        try await eventually {
            let traces = try await withRawClient(to: port) { try await $0.call("GET", "/traces?tags=rollout_id:demo") }
            return traces.status == 200 && traces.text.contains(#""total_traces":\#(count),"#)
                && traces.text.contains("Hello!")
        }
    }

    @Test func `what lies in a folder that was there is its owners alone`() async throws {
        try await ProgramFolder.with { folder in
            let data = folder.path + "/data"
            #expect(mkdir(data, 0o755) == 0 && chmod(data, 0o755) == 0)
            for _ in 0..<2 {
                _ = try await folder.serve { _, port in
                    try await call(port)
                    #expect(try open(folder) == [])
                    let names = try FileManager.default.subpathsOfDirectory(atPath: data)
                    for name in [
                        "traces.sqlite", "traces.sqlite-wal", "traces.sqlite-shm", "redis.log", "gateway.key",
                        "langfuse.env",
                    ] {
                        #expect(names.contains(name), "\(name)")
                    }
                    #expect(names.contains { $0.hasPrefix("appendonlydir/") })
                    #expect(try folder.mode(of: "data") == 0o755, "the folder's mode is the operator's")
                }
                // As an earlier version left them.
                for name in try FileManager.default.subpathsOfDirectory(atPath: data) {
                    chmod("\(data)/\(name)", name == "appendonlydir" ? 0o755 : 0o644)
                }
            }
        }
    }
}
