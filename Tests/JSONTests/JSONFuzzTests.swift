import Foundation
import TestSupport
import Testing

@testable import Common
@testable import JSON

/// The scanner against Foundation's `JSONSerialization`. The two differ on purpose, and only here:
///
/// | text | scanner | Foundation |
/// |---|---|---|
/// | a name twice in the outermost object | refused | the last one counts |
/// | half of a surrogate pair, escaped, in a value or a nested name | accepted: the grammar allows it | refused |
/// | a number beyond a double (`1e400`) | accepted | refused |
/// | a comma behind the last member or element | refused | accepted |
/// | U+FEFF at the head of a string | kept | dropped |
/// | UTF-16, UTF-32, a byte order mark | refused (RFC 8259 §8.1) | accepted |
/// | something other than an object | refused | accepted |
/// | depth | as configured | 512 |
@Suite struct JSONFuzzTests {
    @Test(arguments: try FuzzFixture.seeds()) func `agrees with foundation`(seed: UInt64) async {
        var generator = JSONDocumentGenerator(random: SeededRandom(seed: seed))
        for iteration in 0..<FuzzFixture.iterations {
            await FuzzFixture.letOthersRun()
            let text = generator.mutated(generator.document())
            guard let difference = difference(text) else { continue }
            Issue.record("seed \(seed), iteration \(iteration): \(difference) in \(FuzzFixture.line(text))")
        }
    }

    /// A generator that makes only refusable texts would prove little.
    @Test func `makes both kinds of text`() throws {
        var generator = JSONDocumentGenerator(random: SeededRandom(seed: 1))
        let accepted = (0..<1000).count { _ in
            let text = generator.mutated(generator.document())
            return (try? JSONObject.scan(text, maximumDepth: 64)) != nil
        }
        #expect((100...900).contains(accepted))
    }

    @Test(arguments: try FuzzFixture.inputs("json.txt")) func `judges kept inputs`(verdict: String, input: [UInt8]) {
        #expect((try? JSONObject.scan(input, maximumDepth: 64)) != nil ? verdict == "accept" : verdict == "refuse")
        #expect(difference(input) == nil)
    }

    /// Where the two disagree without leave, or nil.
    private func difference(_ text: [UInt8]) -> String? {
        let foundation = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
        do throws(JSONScanError) {
            let object = try JSONObject.scan(text, maximumDepth: 64)
            if let tree = foundation as? [String: Any] { return difference(object, tree) }
            let neutral = try? JSONSerialization.jsonObject(with: Data(Self.withoutFoundationsLimits(text)))
            return neutral is [String: Any] ? nil : "the scanner alone accepts"
        } catch {
            guard error.offset <= text.count, error.column >= 1 else { return "a place outside of the text" }
            return foundation == nil || Self.isDeliberate(error, text)
                ? nil : "the scanner alone refuses (\(error.gatewayError.message))"
        }
    }

    /// Compares what both have found. Foundation's dictionary joins names that Swift's `String` calls equal.
    private func difference(_ object: JSONObject, _ tree: [String: Any]) -> String? {
        let names = object.members.compactMap { object.name(of: $0) }
        guard names.count == object.members.count, Set(names) == Set(tree.keys) else { return "other names" }
        guard names.count == tree.count else { return nil }
        for (name, member) in zip(names, object.members) {
            guard object.member(name) == member else { return "\(name.debugDescription) is not found" }
            let isSame =
                switch (member.kind, tree[name]) {
                case (.string, let text as String): object.string(member)?.utf8.elementsEqual(text.utf8) == true
                case (.array, let list as [Any]): object.elements(member)?.count == list.count
                case (.object, is [String: Any]), (.null, is NSNull): true
                case (.true, let flag as Bool), (.false, let flag as Bool): object.bool(member) == flag
                case (.number, let number as NSNumber): isNumber(object.bytes[member.value], number.doubleValue)
                default: false
                }
            guard isSame else { return "another value of \(name.debugDescription)" }
        }
        return nil
    }

    /// Foundation's number, which can be off by one in its last digit.
    private func isNumber(_ written: ArraySlice<UInt8>, _ number: Double) -> Bool {
        Double(String(decoding: written, as: UTF8.self)).map { abs($0 - number) <= abs($0) * 1e-15 } ?? false
    }

    /// The differences above in which Foundation accepts.
    private static func isDeliberate(_ error: JSONScanError, _ text: [UInt8]) -> Bool {
        switch error.code {
        case .duplicateKey, .byteOrderMark, .notAnObject, .tooDeep, .tooManyMembers: return true
        case .empty, .loneSurrogateInKey: return false
        case .malformed, .notUTF8:
            let isOtherEncoding =
                text.prefix(4).contains(0) || text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF])
            let before = text[..<error.offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            let isAtCloser =
                error.offset < text.count && [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(text[error.offset])
            let isTrailingComma = isAtCloser && before == UInt8(ascii: ",")
            return isOtherEncoding || isTrailingComma
        }
    }

    /// The differences above in which Foundation refuses, taken out of the text: escaped surrogates become other
    /// escapes, exponents 0.
    private static func withoutFoundationsLimits(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for place in text.indices.dropLast(3)
        where text[place] | 0x20 == UInt8(ascii: "d") && text[place - 1] == UInt8(ascii: "u") {
            text[place] = UInt8(ascii: "4")
        }
        for place in text.indices.dropLast() where text[place] | 0x20 == UInt8(ascii: "e") {
            var digit = place + 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[digit]) { digit += 1 }
            while digit < text.count, 0x30...0x39 ~= text[digit] {
                text[digit] = 0x30
                digit += 1
            }
        }
        return text
    }
}
