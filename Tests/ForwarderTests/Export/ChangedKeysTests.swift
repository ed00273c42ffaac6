import TestSupport
import Testing

@testable import Common
@testable import Forwarder
@testable import Upstream

/// Projects and keys that come and go while an exporter runs.
@Suite(.timeLimit(.minutes(5))) struct ChangedKeysTests {
    @Test func `a rotated key is used for the next batch`() async throws {
        try await ExportFixture.run { fixture in
            let destinations = try fixture.destinations(of: ["a"])
            try await fixture.withExporter(destinations: destinations) {
                try await fixture.leave()
                let first = try await fixture.next()
                #expect(first.request.headers.first(named: "authorization") == "Basic cGs6c2s=")
                first.settle(200)
                try await fixture.untilEmpty()
                destinations.replaceKeys(with: ExportFixture.secrets(of: ["a"], key: "new"))
                try await fixture.leave()
                let second = try await fixture.next()
                // base64("pk:new")
                #expect(second.request.headers.first(named: "authorization") == "Basic cGs6bmV3")
                second.settle(200)
                try await fixture.untilEmpty()
            }
        }
    }

    @Test(arguments: [[], ["a"]]) func `a new project is exported`(before projects: [String]) async throws {
        try await ExportFixture.run { fixture in
            let destinations = try fixture.destinations(of: ["a"])
            if projects.isEmpty { destinations.replaceKeys(with: Secrets(projects: [:], defaultProject: "a")) }
            try await fixture.withExporter(destinations: destinations) {
                let id = try await fixture.leave("b")
                destinations.replaceKeys(with: ExportFixture.secrets(of: ["a", "b"]))
                let call = try await fixture.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await fixture.untilEmpty("b")
            }
        }
    }

    @Test func `a project that loses its keys is exported no longer`() async throws {
        try await ExportFixture.run { fixture in
            let destinations = try fixture.destinations(of: ["a", "b"])
            try await fixture.withExporter(destinations: destinations) {
                try await fixture.leave("b")
                let refused = try await fixture.next()
                destinations.replaceKeys(with: ExportFixture.secrets(of: ["a"]))
                refused.settle(503)
                let id = try await fixture.leave("a")
                let call = try await fixture.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await fixture.untilEmpty("a")
            }
            #expect(try await fixture.waiting("b") == 1, "it waits for a forwarder that has its keys")
        }
    }
}
