import TestSupport
import Testing

@testable import JSON

struct JSONNestingTests {
    /// A bit each tells what a list of them would, even where one word of them is full.
    @Test(arguments: UInt64(1)...8) func `it is a list of what is open`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var (nesting, list) = (JSONNesting(), [Bool]())
        for _ in 0..<4000 {
            // Back and forth over the ends of words, up and down in turn.
            if list.isEmpty || random.below(100) < (list.count < 200 ? 55 : 45) {
                let isObject = random.below(2) == 0
                nesting.open(isObject: isObject)
                list.append(isObject)
            } else {
                nesting.close()
                list.removeLast()
            }
            #expect(nesting.count == list.count)
            if let last = list.last { #expect(nesting.isInObject == last) }
        }
    }

    /// Deeper than a word, with objects and arrays in turn, each closed by its own bracket.
    @Test(arguments: [63, 64, 65, 128, 129, 500]) func `deep texts are read`(depth: Int) throws {
        let kinds = (0..<depth).map { $0 % 3 == 0 }
        let text = kinds.map { $0 ? #"{"a":"# : "[" }.joined() + "1" + kinds.reversed().map { $0 ? "}" : "]" }.joined()
        #expect(try JSONObject.scan(Array(text.utf8), maximumDepth: depth).members.count == 1)
        #expect(throws: JSONScanError.self) { try JSONObject.scan(Array(text.utf8), maximumDepth: depth - 1) }
        let crossed = text.dropLast(2) + (kinds[1] ? "]}" : "}}")
        #expect(throws: JSONScanError.self) { try JSONObject.scan(Array(crossed.utf8), maximumDepth: depth) }
    }
}
