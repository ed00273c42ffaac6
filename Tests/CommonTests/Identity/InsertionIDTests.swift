import Testing

@testable import Common

@Suite struct InsertionIDTests {
    /// The example of RFC 9562, appendix A.6.
    private let example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

    @Test func `reads and writes the canonical form`() throws {
        let id = try #require(InsertionID(example))
        #expect(id.description == example)
        #expect(id.hex == "017f22e279b07cc398c4dc0c0c07398f")
        #expect(id.milliseconds == 1_645_557_742_000)
        #expect(InsertionID(example.uppercased()) == id)
        #expect(InsertionID(Substring(example)) == id)
    }

    @Test(arguments: [
        "", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f-",
        " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "+17f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07\u{0}98f",
        "０17f22e2-79b0-7cc3-98c4-dc0c0c0739",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739é", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\u{301}",
    ])
    func `refuses other texts`(_ text: String) {
        #expect(InsertionID(text) == nil)
    }

    @Test(arguments: Array("012345689abcdef"))
    func `refuses other versions`(_ version: Character) {
        #expect(InsertionID("017f22e2-79b0-\(version)cc3-98c4-dc0c0c07398f") == nil)
    }

    @Test(arguments: zip(Array("0123456789abcdef"), Array("0000000011110000")))
    func `takes the variant of the RFC only`(_ digit: Character, _ isRight: Character) {
        #expect((InsertionID("017f22e2-79b0-7cc3-\(digit)8c4-dc0c0c07398f") != nil) == (isRight == "1"))
    }

    /// Every single damage of the text is refused or is another id, never the same one.
    @Test func `no two texts are one ID`() throws {
        let id = try #require(InsertionID(example))
        for position in 0..<36 {
            for byte in UInt8(0)...127 {
                var bytes = Array(example.utf8)
                guard bytes[position] != byte else { continue }
                bytes[position] = byte
                let text = String(decoding: bytes, as: UTF8.self)
                if text.lowercased() != example { #expect(InsertionID(text) != id) }
            }
        }
    }

    @Test func `sorts by time and as text does`() throws {
        let texts = [
            "00000000-0000-7000-8000-000000000000", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-98c4-dc0c0c073990",
            "017f22e2-79b0-7cc4-8000-000000000000", "017f22e2-79b1-7000-8000-000000000000",
            "ffffffff-ffff-7fff-bfff-ffffffffffff",
        ]
        let ids = texts.compactMap { InsertionID($0) }
        #expect(ids.count == texts.count)
        #expect(ids.shuffled().sorted().map(\.description) == texts)
    }
}
