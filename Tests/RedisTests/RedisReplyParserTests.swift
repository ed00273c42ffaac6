import Testing

@testable import Common
@testable import Redis

@Suite struct RedisReplyParserTests {
    private func parse(_ text: String, chunk: Int = .max, maximum: Int = 1 << 20) throws -> [RedisValue] {
        let parser = RedisReplyParser(maximumReplyBytes: maximum)
        var values: [RedisValue] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
            try part.withUnsafeBytes { try parser.feed($0) }
            while let value = try parser.next() { values.append(value) }
        }
        return values
    }

    private static let replies: [(String, RedisValue)] = [
        ("+OK\r\n", .status("OK")),
        ("-WRONGTYPE no\r\n", .error("WRONGTYPE no")),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("$0\r\n\r\n", .bytes([])),
        ("$4\r\na\r\n\0\r\n", .bytes([97, 13, 10, 0])),
        ("*0\r\n", .array([])),
        ("*2\r\n*0\r\n:1\r\n", .array([.array([]), .integer(1)])),
        (
            "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n$3\r\n2-0\r\n*-1\r\n",
            .array([
                .array([
                    .bytes([115]),
                    .array([
                        .array([.bytes(Array("1-0".utf8)), .array([.bytes([102]), .bytes([118])])]),
                        .array([.bytes(Array("2-0".utf8)), .null]),
                    ]),
                ])
            ])
        ),
    ]

    /// The protocol must parse alike wherever the network cuts it.
    @Test(arguments: [1, 2, 3, 7, .max])
    func `parses replies`(inChunksOf chunk: Int) throws {
        let values = try parse(Self.replies.map(\.0).joined(), chunk: chunk)
        #expect(values == Self.replies.map(\.1))
    }

    /// The bound is hiredis 0.14's; a stream's reply nests 5 deep.
    @Test func `nests as deep as hiredis`() throws {
        func nested(_ depth: Int) -> String { String(repeating: "*1\r\n", count: depth) + ":1\r\n" }
        #expect(try parse(nested(8)).count == 1)
        let error = #expect(throws: RedisError.self) { try parse(nested(9)) }
        #expect(error?.code == .protocolError)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "*2\r\n:1\r\n!\r\n", "*2000000000\r\n:1\r\n?"])
    func `refuses what is not the protocol`(_ text: String) {
        let error = #expect(throws: RedisError.self) { try parse(text) }
        #expect(error?.code == .protocolError)
    }

    @Test(arguments: [1, 8, .max])
    func `refuses a reply over the bound`(inChunksOf chunk: Int) throws {
        let fits = "$40\r\n" + String(repeating: "x", count: 40) + "\r\n"
        #expect(try parse(fits + fits, chunk: chunk, maximum: fits.utf8.count).count == 2)
        let error = #expect(throws: RedisError.self) {
            try parse("$4000\r\n" + String(repeating: "x", count: 100), chunk: chunk, maximum: 47)
        }
        #expect(error?.code == .protocolError)
    }
}
