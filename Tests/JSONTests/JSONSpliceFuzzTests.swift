import TestSupport
import Testing

@testable import Common
@testable import JSON

/// Edits at random, made by the splice and made on a plain list of members.
@Suite struct JSONSpliceFuzzTests {
    @Test(arguments: try FuzzFixture.seeds()) func `edits like a list of members`(seed: UInt64) async throws {
        var generator = JSONDocumentGenerator(random: SeededRandom(seed: seed))
        for iteration in 0..<FuzzFixture.iterations / 4 {
            await FuzzFixture.letOthersRun()
            let text = generator.document()
            guard let object = try? JSONObject.scan(text, maximumDepth: 64) else { continue }
            var list = MemberList(object)
            var splice = JSONSplice(object)
            let edits = (0..<generator.random.below(5)).map { _ in edit(&splice, list: &list, random: &generator.random)
            }
            let result = splice.result()
            let edited = try JSONObject.scan(result, maximumDepth: 64)
            let isRight =
                MemberList(edited).members == list.members.filter { $0.value != nil }
                && (!edits.isEmpty || result == text)
                && result[..<edited.braces.lowerBound] == text[..<object.braces.lowerBound]
                && result[edited.braces.upperBound...].elementsEqual(text[object.braces.upperBound...])
            guard !isRight else { continue }
            Issue.record(
                "seed \(seed), iteration \(iteration): \(FuzzFixture.line(text)), \(edits) → \(FuzzFixture.line(result))"
            )
        }
    }

    /// The members of an object as a list: the obvious way to edit one.
    private struct MemberList {
        struct Member: Equatable {
            var name: [UInt8]
            /// Nil for a member of the object that was taken out: it keeps its place for a later value.
            var value: [UInt8]?
        }

        var members: [Member]
        private let originals: Int

        init(_ object: JSONObject) {
            members = object.members.map {
                Member(name: Array((object.name(of: $0) ?? "").utf8), value: Array(object.bytes[$0.value]))
            }
            originals = members.count
        }

        mutating func set(_ name: String, to value: [UInt8]?) {
            let index = members.firstIndex { $0.name.elementsEqual(name.utf8) }
            switch (index, value) {
            case (let index?, nil) where index >= originals: members.remove(at: index)
            case (let index?, _): members[index].value = value
            case (nil, let value?): members.append(Member(name: Array(name.utf8), value: value))
            case (nil, nil): break
            }
        }
    }

    private func edit(_ splice: inout JSONSplice, list: inout MemberList, random: inout SeededRandom) -> String {
        let isNew = list.members.isEmpty || random.chance(oneIn: 3)
        let name = isNew ? "new\(random.below(2))\"\n" : String(decoding: random.pick(list.members).name, as: UTF8.self)
        guard random.chance(oneIn: 2) else {
            splice.remove(name)
            list.set(name, to: nil)
            return "remove \(name)"
        }
        let value = Array(random.pick(["1.0", "\"\\u0041\"", "[ ]", "{\"a\" : null}"]).utf8)
        splice.set(name, to: value)
        list.set(name, to: value)
        return "set \(name)"
    }
}
