import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// Projects and keys that come and go while an exporter runs.
@Suite(.timeLimit(.minutes(5))) struct ChangedKeysTests {
    @Test func aRotatedKeyIsUsedForTheNextBatch() async throws {
        try await ExportBench.run { bench in
            let destinations = try bench.destinations(of: ["a"])
            try await bench.withExporter(destinations: destinations) {
                try await bench.leave()
                let first = try await bench.next()
                #expect(first.request.headers.first(named: "authorization") == "Basic cGs6c2s=")
                first.settle(200)
                try await bench.untilEmpty()
                destinations.replaceKeys(with: ExportBench.secrets(of: ["a"], key: "new"))
                try await bench.leave()
                let second = try await bench.next()
                // base64("pk:new")
                #expect(second.request.headers.first(named: "authorization") == "Basic cGs6bmV3")
                second.settle(200)
                try await bench.untilEmpty()
            }
        }
    }

    @Test(arguments: [[], ["a"]]) func aNewProjectIsExported(before projects: [String]) async throws {
        try await ExportBench.run { bench in
            let destinations = try bench.destinations(of: ["a"])
            if projects.isEmpty { destinations.replaceKeys(with: Secrets(projects: [:], defaultProject: "a")) }
            try await bench.withExporter(destinations: destinations) {
                let id = try await bench.leave("b")
                destinations.replaceKeys(with: ExportBench.secrets(of: ["a", "b"]))
                let call = try await bench.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await bench.untilEmpty("b")
            }
        }
    }

    @Test func aProjectThatLosesItsKeysIsExportedNoLonger() async throws {
        try await ExportBench.run { bench in
            let destinations = try bench.destinations(of: ["a", "b"])
            try await bench.withExporter(destinations: destinations) {
                try await bench.leave("b")
                let refused = try await bench.next()
                destinations.replaceKeys(with: ExportBench.secrets(of: ["a"]))
                refused.settle(503)
                let id = try await bench.leave("a")
                let call = try await bench.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await bench.untilEmpty("a")
            }
            #expect(try await bench.waiting("b") == 1, "it waits for a forwarder that has its keys")
        }
    }
}
