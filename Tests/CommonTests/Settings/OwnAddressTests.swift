import Testing

@testable import Common
@testable import Upstream

/// A URL that leads to the gateway itself is known as such, however it is written.
@Suite struct OwnAddressTests {
    private static let machine = OwnAddress.Machine(
        names: ["box", "box.example.com"], addresses: [.v4(0x0A00_0005), .v6(high: 0xFD00 << 48, low: 5)])

    private func isOwn(_ url: String, host: String) throws -> Bool {
        OwnAddress(host: host, port: 4000, machine: Self.machine).isMeant(by: try #require(BaseURL(url)))
    }

    @Test(arguments: [
        "http://localhost:4000/v1", "http://LOCALHOST:4000", "http://127.0.0.1:4000/v1", "http://127.9.9.9:4000",
        "http://127.1:4000",
        "http://2130706433:4000",
        "http://0x7f.0.0.1:4000", "http://0.0.0.0:4000", "http://0:4000", "http://[::1]:4000/v1",
        "http://[::]:4000",
        "http://[::ffff:127.0.0.1]:4000",
        "http://localhost.:4000", "http://api.localhost:4000", "https://localhost:4000",
        "http://ip6-localhost:4000",
    ])
    func `the loopback interface`(url: String) throws {
        for host in ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"] { #expect(try isOwn(url, host: host)) }
        #expect(try !isOwn(url, host: "10.0.0.5"))
    }

    @Test(arguments: [
        "http://box:4000", "http://BOX.example.com:4000/v1", "http://10.0.0.5:4000", "http://[fd00::5]:4000",
        "http://[::ffff:10.0.0.5]:4000",
    ])
    func `the machine's own names and addresses`(url: String) throws {
        for host in ["0.0.0.0", "::", "10.0.0.5", "box"] { #expect(try isOwn(url, host: host)) }
        #expect(try !isOwn(url, host: "127.0.0.1"))
    }

    @Test(arguments: [
        "http://localhost:4001", "http://localhost", "https://api.openai.com:4000", "http://10.0.0.6:4000",
        "http://box2:4000",
        "http://128.0.0.1:4000",
    ])
    func `others are others`(url: String) throws {
        for host in ["127.0.0.1", "0.0.0.0", "::", "10.0.0.5"] { #expect(try !isOwn(url, host: host)) }
    }

    @Test func `a name that is listened on is own`() throws {
        #expect(try isOwn("http://Gateway.internal:4000", host: "gateway.internal"))
        #expect(try !isOwn("http://gateway.internal:4000", host: "other.internal"))
    }

    @Test(arguments: ["LITELLM_URL", "LANGFUSE_HOST"]) func `settings that lead back are refused`(
        variable: String
    ) throws {
        let environment = [variable: "http://localhost:4321", "PORT": "4321"]
        let error = #expect(throws: ConfigurationError.self) {
            try Settings.read(role: .serve, environment: environment)
        }
        #expect(
            error?.problems.map(\.description).contains {
                $0.contains("environment: \(variable): error: leads to this gateway itself")
            } == true)
        _ = try Settings.read(role: .serve, environment: environment.merging(["PORT": "4322"]) { $1 })
        _ = try Settings.read(role: .serve, environment: environment.merging(["PORT": "0"]) { $1 })
    }

    @Test func `this machine has an address`() {
        #expect(!OwnAddress.Machine.this.addresses.isEmpty)
    }
}
