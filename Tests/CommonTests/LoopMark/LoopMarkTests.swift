import Testing

@testable import Common

/// A deployment knows the requests that it has sent itself, and no others.
@Suite struct LoopMarkTests {
    private func mark(_ byte: UInt8) throws -> LoopMark {
        LoopMark(Envelope(key: try #require(GatewayKey(bytes: Array(repeating: byte, count: 32)))))
    }

    @Test func `processes of one key are one deployment`() throws {
        #expect(try mark(1).pseudonym == mark(1).pseudonym)
        #expect(try mark(1).pseudonym != mark(2).pseudonym)
        #expect(try mark(1).pseudonym.count == "metadata-gateway-".count + 16)
    }

    @Test func `the own mark is found among others`() throws {
        let own = try mark(1)
        let name = own.pseudonym
        for value in [
            "1.1 \(name)", "1.0 proxy (x), 1.1 \(name)", "1.1 \(name),1.1 proxy",
            "HTTP/1.1 \(name.uppercased()) (comment)", "2 a,\t1.1 \(name)",
        ] {
            #expect(own.isCarried(by: [value]))
            #expect(own.isCarried(by: ["1.1 proxy", value]))
            #expect(try !mark(2).isCarried(by: [value]))
        }
        for value in ["", "1.1 proxy", "1.1 metadata-gateway", "1.1 \(name)0", "1.1 x\(name)"] {
            #expect(!own.isCarried(by: [value]))
        }
    }

    @Test func `the mark stands behind those of others`() throws {
        let headers = try mark(2).added(
            to: mark(1).added(to: [
                HeaderField("Via", "1.0 a, 1.1 b"), HeaderField("x", "y"), HeaderField("VIA", "1.1 c"),
            ]))
        #expect(headers.count == 2)
        #expect(
            try headers.first(named: "via") == "1.0 a, 1.1 b, 1.1 c, 1.1 \(mark(1).pseudonym), 1.1 \(mark(2).pseudonym)"
        )
    }
}
