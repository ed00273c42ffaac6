import Common
import Foundation
import JSON
import TestSupport
import Testing

/// A JSON value that a test makes up and cuts into the parts of a stream.
indirect enum JSONSample {
    case null
    case literal(String)
    case text(String)
    case array([JSONSample])
    case object([(String, JSONSample)])

    var json: String {
        switch self {
        case .null: "null"
        case .literal(let text): text
        case .text(let text): String(decoding: JSONText.quoted(text), as: UTF8.self)
        case .array(let elements): "[\(elements.map(\.json).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(JSONSample.text($0.0).json):\($0.1.json)" }.joined(separator: ","))}"
        }
    }

    /// The value that a reader of the text has.
    static func read(_ json: String) throws -> NSObject {
        let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
        return try #require(value as? NSObject)
    }
}

/// Cuts values into parts as providers do.
struct DeltaCutter {
    var random: SeededRandom
    /// Members that come whole, and may be repeated.
    private static let whole: Set<String> = [
        "id", "type", "role", "name", "format", "signature", "thought_signature", "url", "severity",
    ]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func chance(_ n: Int) -> Bool { number(1...n) == 1 }

    /// The parts of a value, in their order.
    mutating func parts(_ value: JSONSample, named name: String) -> [JSONSample] {
        switch value {
        case .null: return [.null]
        case .literal: return chance(4) ? [.null, value] : chance(4) ? [value, .null, value] : [value]
        case .text(let text):
            guard !Self.whole.contains(name) else { return chance(3) ? [value, value, .null] : [value] }
            return pieces(of: text).map { .text($0) }
        case .object(let members): return parts(of: members)
        case .array(let elements) where name == "tool_calls": return callParts(elements)
        case .array(let elements): return elements.contains { $0.index != nil } ? indexed(elements) : appended(elements)
        }
    }

    mutating func pieces(of text: String) -> [String] {
        var pieces: [String] = chance(3) ? [""] : []
        var rest = Array(text.unicodeScalars)
        while !rest.isEmpty {
            let count = number(1...max(1, min(rest.count, 6)))
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: rest.prefix(count))
            pieces.append(String(piece))
            rest.removeFirst(count)
        }
        return pieces.isEmpty ? [""] : pieces
    }

    /// Parts of an object: of each member the parts in their order, and otherwise in any.
    mutating func parts(of members: [(String, JSONSample)]) -> [JSONSample] {
        guard !members.isEmpty else { return [.object([])] }
        var queues: [(name: String, parts: [JSONSample])] = []
        for (name, value) in members { queues.append((name, parts(value, named: name))) }
        var events: [JSONSample] = []
        while !queues.isEmpty {
            var event: [(String, JSONSample)] = []
            for place in queues.indices.shuffled(using: &random) where event.isEmpty || chance(3) {
                event.append((queues[place].name, queues[place].parts.removeFirst()))
            }
            queues.removeAll { $0.parts.isEmpty }
            events.append(.object(event))
        }
        return events
    }

    private mutating func appended(_ elements: [JSONSample]) -> [JSONSample] {
        var parts: [JSONSample] = []
        var rest = elements[...]
        while !rest.isEmpty {
            let count = number(1...rest.count)
            parts.append(.array(Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        return parts.isEmpty ? [.array([])] : parts
    }

    /// Elements with an index of their own, which each part repeats.
    private mutating func indexed(_ elements: [JSONSample]) -> [JSONSample] {
        var queues: [[JSONSample]] = []
        for element in elements {
            guard case .object(let members) = element else { continue }
            let kept = members.filter { $0.0 == "index" || $0.0 == "type" }
            queues.append(
                parts(of: members.filter { $0.0 != "index" }).map { part in
                    guard case .object(let own) = part else { return part }
                    return .object(own.filter { $0.0 != "type" } + kept)
                })
        }
        return interleaved(queues)
    }

    private mutating func interleaved(_ queues: [[JSONSample]]) -> [JSONSample] {
        var queues = queues
        var parts: [JSONSample] = []
        while !queues.isEmpty {
            var elements: [JSONSample] = []
            for place in queues.indices.shuffled(using: &random) where elements.isEmpty || chance(4) {
                elements.append(queues[place].removeFirst())
            }
            queues.removeAll(where: \.isEmpty)
            parts.append(.array(elements))
        }
        return parts
    }

    /// Tool calls as OpenAI streams them, with id and name repeated, or each whole under the index 0 or none.
    private mutating func callParts(_ calls: [JSONSample]) -> [JSONSample] {
        let areWhole = calls.contains { $0.member("id") == nil } || chance(4)
        if areWhole {
            let index: [(String, JSONSample)] = chance(3) ? [] : [("index", .literal("0"))]
            return appended(calls.map { .object(index + $0.members) })
        }
        let repeats = chance(3)
        var queues: [[JSONSample]] = []
        for (place, call) in calls.enumerated() {
            let tool = call.member("function") == nil ? "custom" : "function"
            let text = tool == "function" ? "arguments" : "input"
            guard case .text(let input)? = call.member(tool)?.member(text), let name = call.member(tool)?.member("name")
            else { continue }
            let index: (String, JSONSample) = ("index", .literal("\(place)"))
            let head = call.members.filter { $0.0 == "id" || $0.0 == "type" }
            var parts: [JSONSample] = []
            for (number, piece) in pieces(of: input).enumerated() {
                let isHead = number == 0 || repeats
                parts.append(
                    .object(
                        [index] + (isHead ? head : []) + [
                            (tool, .object((isHead ? [("name", name)] : []) + [(text, .text(piece))]))
                        ]))
            }
            let others = call.members.filter { !["id", "type", tool].contains($0.0) }
            if !others.isEmpty { for part in self.parts(of: others) { parts.append(.object([index] + part.members)) } }
            queues.append(parts)
        }
        return interleaved(queues)
    }
}

extension JSONSample {
    var members: [(String, JSONSample)] {
        guard case .object(let members) = self else { return [] }
        return members
    }

    func member(_ name: String) -> JSONSample? { members.first { $0.0 == name }?.1 }

    var index: JSONSample? { member("index") }
}
