import Foundation
import TestSupport
import Testing

@testable import Common
@testable import JSON

@Suite struct JSONWalkerTests {
    /// Accepts what the scanner accepts, but for names.
    @Test(arguments: try FuzzFixture.seeds()) func `agrees with the scanner`(seed: UInt64) async {
        var generator = JSONDocumentGenerator(random: SeededRandom(seed: seed))
        for _ in 0..<FuzzFixture.iterations / 4 {
            await FuzzFixture.letOthersRun()
            let text = generator.mutated(generator.document())
            do throws(JSONScanError) {
                let object = try JSONObject.scan(text, maximumDepth: .max)
                #expect(JSONWalker.isValue(text))
                var members: [Range<Int>] = []
                var walker = JSONWalker(text)
                try walker.members { (walker, name) throws(JSONScanError) in
                    members.append(name)
                    if members.count % 2 == 0 { try walker.skip() }
                }
                #expect(members == object.members.map(\.key))
            } catch {
                switch error.code {
                case .duplicateKey, .loneSurrogateInKey, .notAnObject: break
                default: #expect(!JSONWalker.isValue(text), "\(FuzzFixture.line(text)): \(error)")
                }
            }
        }
    }

    @Test(arguments: [
        (#"ab\nc"#, 3, "ab"), (#"ab\nc"#, 4, #"ab\n"#), (#"a\u00e9b"#, 6, "a"), (#"a\u00e9b"#, 7, #"a\u00e9"#),
        ("aé", 2, "a"), ("aé", 3, "aé"),
        (#"\ud83d\ude00x"#, 12, #"\ud83d\ude00"#), (#"\ud83d\ude00x"#, 11, ""), (#"\ud83d\ude00x"#, 6, ""),
        (#"\\"#, 1, ""), ("abc", 0, ""),
        ("", 5, ""),
        ("abc", -1, ""),
    ])
    func `a string's inside is cut between characters`(inside: String, limit: Int, kept: String) {
        let bytes = Array("\"\(inside)\"".utf8)
        let range = JSONText.wholePrefix(of: bytes, 1..<bytes.count - 1, atMost: limit)
        #expect(String(decoding: bytes[range], as: UTF8.self) == kept)
    }

    @Test func `every byte comes back from a string`() throws {
        let text = String(String.UnicodeScalarView((0..<0x300).compactMap(Unicode.Scalar.init))) + "\u{2028}😀"
        var out: [UInt8] = [UInt8(ascii: "\"")]
        let bytes = Array(("x" + text + "y").utf8)
        JSONText.appendEscaped(bytes, 1..<bytes.count - 1, to: &out)
        out.append(UInt8(ascii: "\""))
        #expect(try JSONDecoder().decode(String.self, from: Data(out)) == text)
    }
}
