import Testing

@testable import Common

/// Under which names a server answers.
@Suite struct AllowedHostsTests {
    static let own = [
        "localhost", "LOCALHOST", "localhost:4000", "localhost.", "localhost.:4000", "localhost:", "app.localhost:4000",
        "127.0.0.1",
        "127.0.0.1:65535", "127.0.0.1.",
        "127.255.255.254", "[::1]", "[::1]:4000", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:4000", "[::FFFF:7f00:1]",
    ]

    static let foreign = [
        "", ":4000", ".", "evil.example", "evil.example:4000", "localhost.evil.example",
        "evil.example.localhost.evil.example", "notlocalhost",
        "localhost..",
        "127.0.0.1.nip.io", "127.0.0.1.evil.example:4000", "127.0.0.1:4000.evil.example", "localhost:4000:evil",
        "localhost:evil",
        "localhost@evil.example",
        "127.1", "127.0.0", "0127.0.0.1", "2130706433", "0x7f.0.0.1", "0.0.0.0:4000", "[::]", "[::2]", "[::1", "::1]",
        "[::1%lo]",
        "[::ffff:10.0.0.1]", "10.0.0.1", "localhost ", " localhost", "localhost\u{0}", "localhost\u{301}", "ｌocalhost",
        "*", "gateway",
    ]

    @Test(arguments: own) func `this machines names are allowed`(host: String) {
        #expect(AllowedHosts.loopback.allows(host))
        #expect(AllowedHosts("gateway")?.allows(host) == true)
    }

    @Test(arguments: foreign) func `no other name is`(host: String) { #expect(!AllowedHosts.loopback.allows(host)) }

    @Test func `names are added`() throws {
        let hosts = try #require(AllowedHosts("Gateway.Internal, 10.0.0.5,[fd00::1],fd00::2"))
        for host in ["gateway.internal", "GATEWAY.internal.:4000", "10.0.0.5:80", "[fd00::1]:1", "[fd00::2]"] {
            #expect(hosts.allows(host), "\(host)")
        }
        for host in ["internal", "x.gateway.internal", "gateway.internal.evil.example", "10.0.0.50"] {
            #expect(!hosts.allows(host), "\(host)")
        }
        #expect(hosts.description == "10.0.0.5,fd00::1,fd00::2,gateway.internal")
    }

    @Test(arguments: ["", " ", "a,", "a,,b", "http://a", "a:4000", "a/b", "*.a", "a b\u{7}"])
    func `what is no name is refused`(text: String) {
        #expect(AllowedHosts(text) == nil)
    }

    @Test func `any is any`() { #expect(Self.foreign.allSatisfy { AllowedHosts("*")?.allows($0) == true }) }

    @Test(arguments: [
        ("127.0.0.1", false, true), ("localhost", false, true), ("::1", false, true), ("127.0.0.9", false, true),
        ("0.0.0.0", false, false),
        ("::", false, false),
        ("127.0.0.1", true, false), ("10.0.0.5", false, false),
    ])
    func `the listener decides what is not set`(host: String, asksForKeys: Bool, isOwn: Bool) {
        #expect(AllowedHosts(nil, listeningOn: host, asksForKeys: asksForKeys) == (isOwn ? .loopback : .any))
        // What is set holds everywhere.
        #expect(AllowedHosts(AllowedHosts("a"), listeningOn: host, asksForKeys: asksForKeys) == AllowedHosts("a"))
    }
}
