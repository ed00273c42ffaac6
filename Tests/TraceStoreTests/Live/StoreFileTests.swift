import FoundationEssentials
import GRDB
import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import TraceStore

/// A file that goes away under a running store takes no traces with it.
@Suite(.timeLimit(.minutes(1))) struct StoreFileTests {
    @Test(arguments: ["deleted", "moved", "replaced", "emptied folder", "log deleted", "index deleted"]) func aFileThatIsGoneIsSaid(
        how: String
    ) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/traces.sqlite"
            let log = InMemoryLogHandler()
            var plan = LiveStore.Plan()
            (plan.folder, plan.logger) = (folder, Logger(label: "test") { _ in log })
            try await LiveStore.run(plan) { store in
                #expect(try await store.export([]).status == 200)
                let files = FileManager.default
                switch how {
                case "deleted": try files.removeItem(atPath: path)
                case "moved": try files.moveItem(atPath: path, toPath: path + ".old")
                case "replaced":
                    try files.moveItem(atPath: path, toPath: path + ".old")
                    try files.copyItem(atPath: path + ".old", toPath: path)
                case "log deleted": try files.removeItem(atPath: path + "-wal")
                case "index deleted": try files.removeItem(atPath: path + "-shm")
                default: for name in try files.contentsOfDirectory(atPath: folder) { try files.removeItem(atPath: folder + "/" + name) }
                }
                for _ in 0..<2 {
                    let answer = try await store.export([])
                    #expect(answer.status == 503 && answer.text.contains("start the store again"))
                    #expect(try await store.call("GET", "/api/public/traces").status == 503)
                }
                #expect(log.entries.filter { $0.message.description.contains("was deleted, moved or replaced") }.count == 1)
            }
            // Started again, it takes traces.
            try await LiveStore.run(plan) { store in
                let answer = try await store.export([])
                #expect(answer.status == 200)
            }
        }
    }

    @Test(arguments: [ResultCode.SQLITE_FULL, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM])
    func theDiskIsNamed(code: ResultCode) {
        #expect(LangfuseError.disk(code)?.status == 503)
    }

    @Test(arguments: [ResultCode.SQLITE_CONSTRAINT, .SQLITE_ERROR, .SQLITE_BUSY, .SQLITE_CORRUPT]) func allElseIsNot(code: ResultCode) {
        #expect(LangfuseError.disk(code) == nil)
    }
}
