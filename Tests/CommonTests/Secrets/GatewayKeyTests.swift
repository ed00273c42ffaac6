import Common
import Testing

struct GatewayKeyTests {
    @Test(arguments: [
        "", "AAAA", String(repeating: "A", count: 43), String(repeating: "A", count: 44), SettingsTests.key + "AAAA",
        String(repeating: "-", count: 43) + "=",
    ])
    func `other than 32 bytes is refused and not shown`(text: String) {
        #expect(GatewayKey(base64: text) == nil)
    }

    @Test func `it is not shown`() throws {
        let key = try #require(GatewayKey(bytes: Array(repeating: 77, count: 32)))
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key) \(String(reflecting: key)) \(dumped)".contains("77") == false)
    }

    @Test func `it may stand in a file`() throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write(SettingsTests.key + "\n", to: "key")
            let settings = try Settings.read(
                role: .forwarder, environment: ["REDIS_HOST": "r", "GATEWAY_KEY_FILE": path])
            #expect(settings.secrets.gatewayKey == GatewayKey(base64: SettingsTests.key))
        }
    }

    @Test func `a bad or missing file is named`() throws {
        try TemporaryFolder.with { folder in
            let path = try folder.write("canary", to: "key")
            for (path, expected) in [
                (path, "\(path): error: must hold 32 bytes in base64"),
                (path + "2", "\(path)2: error: cannot be opened: there is no"),
            ] {
                let error = try #require(throws: ConfigurationError.self) {
                    try Settings.read(role: .forwarder, environment: ["REDIS_HOST": "r", "GATEWAY_KEY_FILE": path])
                }
                #expect(error.problems.count == 1 && error.description.hasPrefix(expected))
                #expect(!error.description.contains("canary"))
            }
        }
    }
}
