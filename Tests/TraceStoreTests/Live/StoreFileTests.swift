import FoundationEssentials
import GRDB
import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import TraceStore

/// A file that goes away under a running store takes no traces with it.
@Suite(.timeLimit(.minutes(1))) struct StoreFileTests {
    @Test(arguments: ["deleted", "moved", "emptied folder", "log deleted", "index deleted"]) func aFileThatIsLostIsWrittenAgain(
        how: String
    ) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let log = InMemoryLogHandler()
            let plan = Self.plan(folder, log)
            try await LiveStore.run(plan) { store in
                try await store.export([SampleSpan(1)])
                let files = FileManager.default
                switch how {
                case "deleted": try files.removeItem(atPath: path)
                case "moved": try files.moveItem(atPath: path, toPath: path + ".old")
                case "log deleted": try files.removeItem(atPath: path + "-wal")
                case "index deleted": try files.removeItem(atPath: path + "-shm")
                default: for name in try files.contentsOfDirectory(atPath: folder) { try files.removeItem(atPath: folder + "/" + name) }
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
            try await LiveStore.run(plan) { store in
                for id in 1...2 {
                    let answer = try await store.call("GET", "/api/public/traces/\(SampleSpan.traceID(id))")
                    #expect(answer.status == 200)
                }
            }
        }
    }

    /// What somebody put there is theirs.
    @Test func anotherFileIsLeftAlone() async throws {
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
    func theDiskIsNamed(code: ResultCode) {
        #expect(LangfuseError.disk(code)?.status == 503)
    }

    @Test(arguments: [ResultCode.SQLITE_CONSTRAINT, .SQLITE_ERROR, .SQLITE_BUSY, .SQLITE_CORRUPT]) func allElseIsNot(code: ResultCode) {
        #expect(LangfuseError.disk(code) == nil)
    }
}
