import FoundationEssentials
import GRDB
import Glibc
import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import TraceStore

/// A file that goes away under a running store takes no traces with it.
@Suite(.timeLimit(.minutes(5))) struct StoreFileTests {
    /// A file may be lost between the look at it and the question to it.
    @Test func `a file that is lost during a request has an answer of its own`() {
        #expect(LangfuseError(of: StoreFileGone(), Logger(label: "test")) == .fileGone)
    }

    @Test(arguments: ["deleted", "moved", "emptied folder", "log deleted", "index deleted", "deleted behind a link"])
    func `a file that is lost is written again`(how: String) async throws {
        try await withTemporaryFolder { folder in
            var path = folder + "/traces.sqlite"
            if how == "deleted behind a link" {
                let other = folder + "/elsewhere.sqlite"
                #expect(symlink(other, path) == 0)
                path = other
            }
            let log = InMemoryLogHandler()
            let plan = Self.plan(folder, log)
            try await LiveStore.run(plan) { store in
                try await store.export([SampleSpan(1)])
                let files = FileManager.default
                switch how {
                case "deleted", "deleted behind a link": try files.removeItem(atPath: path)
                case "moved": try files.moveItem(atPath: path, toPath: path + ".old")
                case "log deleted": try files.removeItem(atPath: path + "-wal")
                case "index deleted": try files.removeItem(atPath: path + "-shm")
                default:
                    for name in try files.contentsOfDirectory(atPath: folder) {
                        try files.removeItem(atPath: folder + "/" + name)
                    }
                }
                // Until then it is refused, and the sender sends it again.
                try await eventually { try await store.export([SampleSpan(2)]).status == 200 }
                for id in 1...2 {
                    let answer = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(id))")
                    #expect(answer.status == 200)
                }
            }
            #expect(log.entries.filter { $0.message.description.contains("was deleted or moved") }.count == 1)
            #expect(log.entries.filter { $0.message.description.contains("was written again") }.count == 1)
            #expect(!FileManager.default.fileExists(atPath: path + ".restored"))
            var status = stat()
            #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_mode & S_IFMT == S_IFREG)
            try await LiveStore.run(plan) { store in
                for id in 1...2 {
                    let answer = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(id))")
                    #expect(answer.status == 200)
                }
            }
        }
    }

    /// It is tried until it goes, and said once.
    @Test func `a folder that is gone is waited for`() async throws {
        try await withTemporaryFolder { folder in
            let store = folder + "/store"
            try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
            let log = InMemoryLogHandler()
            func said(_ text: String) -> Int { log.entries.filter { $0.message.description.contains(text) }.count }
            try await LiveStore.run(Self.plan(store, log)) { live in
                try await live.export([SampleSpan(1)])
                try FileManager.default.moveItem(atPath: store, toPath: store + ".old")
                try await eventually { said("cannot be written again") > 0 }
                try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
                try await eventually { said("was written again") > 0 }
                let answer = try await live.call("GET", "/api/public/traces/\(SampleSpan.traceID(1))")
                #expect(answer.status == 200)
            }
            #expect(said("cannot be written again") == 1 && said("was deleted or moved") == 1)
        }
    }

    /// The file that an operator put there stays.
    @Test func `another file is left alone`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let log = InMemoryLogHandler()
            let plan = Self.plan(folder, log)
            try await LiveStore.run(plan) { store in
                try await store.export([SampleSpan(1)])
                try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
                try Data("another".utf8).write(to: URL(filePath: path))
                for _ in 0..<2 {
                    let answer = try await store.export([SampleSpan(2)])
                    #expect(answer.status == 503 && answer.text.contains("its log says what to do"))
                    let read = try await store.call("GET", "/api/public/traces")
                    #expect(read.status == 503)
                }
                try await eventually { log.entries.contains { $0.message.description.contains("was replaced") } }
            }
            let left = try Data(contentsOf: URL(filePath: path))
            #expect(left == Data("another".utf8))
        }
    }

    private static func plan(_ folder: String, _ log: InMemoryLogHandler) -> LiveStore.Plan {
        var plan = LiveStore.Plan()
        (plan.folder, plan.logger) = (folder, Logger(label: "test") { _ in log })
        return plan
    }

    @Test(arguments: [ResultCode.SQLITE_FULL, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM])
    func `the disk is named`(code: ResultCode) {
        #expect(LangfuseError.disk(code)?.status == 503)
    }

    @Test(arguments: [ResultCode.SQLITE_CONSTRAINT, .SQLITE_ERROR, .SQLITE_BUSY, .SQLITE_CORRUPT])
    func `all else is not`(
        code: ResultCode
    ) {
        #expect(LangfuseError.disk(code) == nil)
    }
}
