import NIOCore
import Testing

@testable import Common
@testable import Redis

@Suite struct RedisCommandTests {
    private func formatted(_ command: RedisCommand) -> String {
        var buffer = ByteBuffer()
        command.write(to: &buffer)
        #expect(buffer.readableBytes == command.encodedCount)
        return String(buffer: buffer)
    }

    @Test func `formats strings integers and bytes`() {
        let command = RedisCommand(
            "SET", "key", -42, [UInt8]("é\0\r\n".utf8), "", Substring("tail"), [UInt8]("xyz".utf8)[1...])
        #expect(
            formatted(command)
                == "*7\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\n-42\r\n$5\r\né\0\r\n\r\n$0\r\n\r\n$4\r\ntail\r\n$2\r\nyz\r\n")
        #expect(command.byteCount == 3 + 3 + 3 + 5 + 0 + 4 + 2)
    }

    @Test func `grows by appending`() {
        var command = RedisCommand("XACK")
        command.append("stream")
        command.append(contentsOf: ["1-0", "2-0"])
        #expect(formatted(command) == "*4\r\n$4\r\nXACK\r\n$6\r\nstream\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n")
    }

    @Test(arguments: [0, 9, 10, -1, 1_000_000, .max, .min]) func `writes numbers in decimal`(_ number: Int) {
        let text = String(number)
        #expect(formatted(RedisCommand("A", number)) == "*2\r\n$1\r\nA\r\n$\(text.utf8.count)\r\n\(text)\r\n")
    }

    /// Lengths and counts of more than one digit.
    @Test(arguments: [9, 10, 99, 100, 1000]) func `counts arguments and their bytes`(_ count: Int) {
        var command = RedisCommand("A")
        command.append(contentsOf: Array(repeating: "b", count: count - 2))
        command.append(Array(repeating: UInt8(ascii: "c"), count: count))
        let text = formatted(command)
        #expect(text.hasPrefix("*\(count)\r\n$1\r\nA\r\n"))
        #expect(text.hasSuffix("$\(count)\r\n" + String(repeating: "c", count: count) + "\r\n"))
        #expect(command.byteCount == 1 + (count - 2) + count)
    }

    /// The known answer is `SCRIPT LOAD "return 1"` of a real server.
    @Test func `names a script as Redis does`() {
        #expect(RedisScript(name: "one", source: "return 1").digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
    }
}
