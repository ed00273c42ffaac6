import Common
import FoundationEssentials
import InMemoryLogging
import Logging
import Policies
import TestSupport
import Testing

@testable import Ingress

/// Rules that change while the gateway runs.
@Suite struct RulesFileTests {
    private static func text(_ limit: Int) -> String {
        """
        type: gateway-rate-limiting-config
        rules:
          - {id: all, limit_to: \(limit), unit: requests_per_day}
        """
    }

    private static func limits(_ policies: Policies) -> [Int] { policies.rateLimits.flatMap { $0.rules.map(\.limit) } }

    /// A folder with one file, and the rules that are read from it.
    private func withFile(
        _ body: (_ file: RulesFile, _ write: (_ text: String, _ name: String) throws -> Void) throws -> Void
    ) throws {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        try write(Self.text(1), "a.yaml")
        let load: RulesFile.Load = { () throws(ConfigurationError) in
            try PolicyReader.read(ConfigurationFile.all(at: folder), asksForKeys: false)
        }
        try body(RulesFile(try load(), path: folder, load: load), write)
    }

    @Test func `a change is taken over once it rests`() throws {
        try withFile { file, write in
            let taken = Counter()
            file.onChange { _ in taken.add(1) }
            file.refresh(logger: .silent)
            #expect(taken.value == 0)
            try write(Self.text(20), "a.yaml")
            file.refresh(logger: .silent)
            #expect(Self.limits(file.current) == [1], "it may be written yet")
            file.refresh(logger: .silent)
            #expect(Self.limits(file.current) == [20] && taken.value == 1)
            file.refresh(logger: .silent)
            #expect(taken.value == 1)
        }
    }

    @Test func `a new file of the folder is a change`() throws {
        try withFile { file, write in
            try write(Self.text(7).replacing("id: all", with: "id: more"), "b.yaml")
            for _ in 0..<2 { file.refresh(logger: .silent) }
            #expect(Self.limits(file.current) == [1, 7])
        }
    }

    @Test func `a mistake changes nothing and is told once`() throws {
        try withFile { file, write in
            let log = InMemoryLogHandler()
            let logger = Logger(label: "test") { _ in log }
            try write(Self.text(0), "a.yaml")
            for _ in 0..<5 { file.refresh(logger: logger) }
            #expect(Self.limits(file.current) == [1])
            #expect(log.entries.count == 1)
            let said = log.entries.first?.message.description ?? ""
            #expect(said.hasPrefix("the rules stay as they were: ") && said.contains("a.yaml:3:25: error: "), "\(said)")
        }
    }

    @Test func `asked for they are read in any case`() throws {
        try withFile { file, write in
            try write(Self.text(20), "a.yaml")
            file.refresh(isAsked: true, logger: .silent)
            #expect(Self.limits(file.current) == [20])
        }
    }
}
