import Testing

@testable import Common
@testable import Upstream

@Suite struct ClientBaseURLTests {
    private static let strict = AddressPolicy.clientChosen(allowLoopback: false, allowPrivate: false)
    private static let open = AddressPolicy.clientChosen(allowLoopback: true, allowPrivate: true)

    @Test(arguments: [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("HTTPS://API.OpenAI.com", "https://api.openai.com"),
        ("https://api.openai.com/", "https://api.openai.com"),
        ("https://h.example:443/a", "https://h.example/a"),
        ("http://h.example:80", "http://h.example"),
        ("http://h.example:8080/A/b%20c/@cf", "http://h.example:8080/A/b%20c/@cf"),
        ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
        ("https://134744072/v1", "https://8.8.8.8/v1"),
        ("https://[2606:4700::1111]:8443/v1", "https://[2606:4700::1111]:8443/v1"),
        ("https://my_host.example/v1", "https://my_host.example/v1"),
    ])
    func `a good URL has one form`(text: String, normal: String) throws {
        #expect(try ClientBaseURL(text, addresses: Self.strict).description == normal)
    }

    @Test(arguments: [
        "", "https", "https:", "https://", "https:///v1", "ftp://h.example", "file:///etc/passwd", "gopher://h.example",
        "//h.example",
        "https:h.example",
        "https://user@h.example", "https://user:pass@h.example", "http://ok.example@127.0.0.1",
        "https://h.example\\@evil.example",
        "https://h.example/v1?x=1", "https://h.example/v1#x", "https://h.example?", "https://h.example/ v1",
        "https://h.example/\tv1",
        "https://h.example/v1\r\nX: y", "https://h.example/\u{0}", "https://exämple.com", "https://h.example/ä",
        "https://h\u{FF0E}example",
        "https://h%2eexample", "https://%31%32%37.0.0.1", "https://h.example.", "https://.h.example",
        "https://h..example", "https://h.example:",
        "https://h.example:0", "https://h.example:65536", "https://h.example:-1", "https://h.example:+80",
        "https://h.example:80:80",
        "https://h.example/..", "https://h.example/a/../b", "https://h.example/./b", "https://h.example//b",
        "https://h.example/b//",
        "https://h.example/%2e%2e/b", "https://h.example/%2E", "https://h.example/a%2fb", "https://h.example/a%5Cb",
        "https://h.example/a%0d%0ab",
        "https://h.example/%00", "https://h.example/%7f", "https://h.example/%252e", "https://h.example/%",
        "https://h.example/%2",
        "https://h.example/%zz",
        "https://h.example/%+1", "https://[fe80::1%25eth0]/", "https://[::1", "https://[]", "https://[1.2.3.4]",
        "https://[2606:4700::1111]x",
        "https://256.1.1.1", "https://1.2.3.4.5", "https://foo.1", "https://foo.0x7f", "https://h,example",
        "https://h!example",
        "https://metadata.google.internal", "https://METADATA", "https://instance-data",
        "https://metadata.goog/computeMetadata/v1",
        "http://169.254.169.254", "http://0xA9FEA9FE", "http://2852039166", "http://0251.0376.0251.0376",
        "http://169.254.43518",
        "http://[::ffff:169.254.169.254]", "http://[fd00:ec2::254]", "http://[64:ff9b::a9fe:a9fe]",
        "http://100.100.100.200", "http://168.63.129.16",
        "http://0", "http://0.0.0.0", "http://[::]", "http://224.0.0.1", "http://255.255.255.255", "http://[ff02::1]",
        "http://[fe80::1]",
    ])
    func `a bad URL is refused under every policy`(text: String) {
        let error = #expect(throws: GatewayError.self) { try ClientBaseURL(text, addresses: Self.open) }
        #expect(error?.status == 400)
        #expect(error?.code == "invalid_base_url")
        #expect(error?.param == "encoded_base_url")
    }

    @Test(arguments: [
        "http://127.0.0.1", "http://127.1", "http://2130706433", "http://0x7f.1", "http://0177.0.0.1",
        "http://[::1]:80", "http://[::ffff:127.0.0.1]",
        "http://localhost:4000", "http://LOCALHOST", "http://a.localhost",
    ])
    func `loopback is a matter of policy`(text: String) throws {
        _ = try ClientBaseURL(text, addresses: .clientChosen(allowLoopback: true, allowPrivate: false))
        #expect(throws: GatewayError.self) {
            try ClientBaseURL(text, addresses: .clientChosen(allowLoopback: false, allowPrivate: true))
        }
    }

    @Test(arguments: [
        "http://10.0.0.1", "http://10.1", "http://172.16.0.1", "http://192.168.0.1", "http://100.64.0.1",
        "http://[fd12::1]",
    ])
    func `private networks are a matter of policy`(text: String) throws {
        _ = try ClientBaseURL(text, addresses: .clientChosen(allowLoopback: false, allowPrivate: true))
        #expect(throws: GatewayError.self) {
            try ClientBaseURL(text, addresses: .clientChosen(allowLoopback: true, allowPrivate: false))
        }
    }

    @Test func `lengths are bounded`() throws {
        let label = String(repeating: "a", count: 63)
        let host = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(host.utf8.count == 253)
        _ = try ClientBaseURL("https://\(host)", addresses: Self.strict)
        #expect(throws: GatewayError.self) { try ClientBaseURL("https://\(host)b", addresses: Self.strict) }
        #expect(throws: GatewayError.self) { try ClientBaseURL("https://\(label)a.example", addresses: Self.strict) }
        _ = try ClientBaseURL("https://h.example/" + String(repeating: "a", count: 2030), addresses: Self.strict)
        #expect(throws: GatewayError.self) {
            try ClientBaseURL("https://h.example/" + String(repeating: "a", count: 2031), addresses: Self.strict)
        }
    }

    @Test func `a refusal repeats nothing of the URL`() {
        let error = #expect(throws: GatewayError.self) {
            try ClientBaseURL("https://user:hunter2@h.example", addresses: Self.open)
        }
        #expect(error?.message.contains("hunter2") == false)
    }
}
