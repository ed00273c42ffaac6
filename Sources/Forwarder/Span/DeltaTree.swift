internal import Common
internal import JSON

/// JSON objects put together from the parts in which a stream gives them.
///
/// Members of any name are kept: texts are joined (`JoinRule`), objects merged, the elements of an array merged by
/// their `index` or appended; of numbers and truth values the last stands; null takes nothing away. A value that comes
/// once is kept as it was written, and is taken apart when a second part of it comes. `SpanLimits` bounds the kept
/// bytes. Each byte is looked at a fixed number of times.
struct DeltaTree: Sendable {
    enum Kind: Sendable {
        case null
        /// A number or a truth value, as it was written.
        case scalar
        /// The inside of a string, still escaped.
        case text
        /// An object or array as it was written.
        case whole
        /// As `whole`, and too large to be taken apart.
        case sealed
        case object
        case array
        /// Elements of an array that nothing will be merged with, as they were written, with commas between them.
        case elements
    }

    struct Child: Sendable {
        /// A member's name as it was written, or an element's `index`.
        let name: [UInt8]
        let node: Int
    }

    struct Node: Sendable {
        var kind = Kind.null
        var bytes: [UInt8] = []
        var children: [Child] = []
        /// The point up to which the text was looked at as JSON of its own.
        var end = NestedJSONEnd()
    }

    var nodes: [Node] = []
    /// Bytes that may yet be kept.
    var room: Int
    var faults: ResponseFaults = []

    init(room: Int) { self.room = room }

    var isFull: Bool { room <= 0 }

    /// Takes room for the inside of a string.
    /// - Returns: as much of it as there is room for.
    mutating func kept(of bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        guard range.count > room else {
            room -= range.count
            return range
        }
        let kept = JSONText.wholePrefix(of: bytes, range, atMost: room)
        // A later text would not join on.
        room = 0
        faults.insert(.cut)
        return kept
    }

    /// Takes room for a value that is kept whole or not at all.
    mutating func charge(_ count: Int) -> Bool {
        guard count <= room else {
            faults.insert(.cut)
            return false
        }
        room -= count
        return true
    }

    /// - Returns: nil if there is no room for one.
    mutating func addNode(_ kind: Kind = .null) -> Int? {
        guard nodes.count < SpanLimits.nodes else {
            faults.insert(.cut)
            return nil
        }
        nodes.append(Node(kind: kind))
        return nodes.count - 1
    }

    func child(_ name: ArraySlice<UInt8>, of node: Int) -> Int? {
        for child in nodes[node].children where Self.areEqual(child.name, name) { return child.node }
        return nil
    }

    static func areEqual(_ known: [UInt8], _ bytes: ArraySlice<UInt8>) -> Bool {
        known.count == bytes.count
            && known.withUnsafeBufferPointer { known in bytes.withUnsafeBufferPointer { known.elementsEqual($0) } }
    }

    func child(_ name: StaticString, of node: Int) -> Int? {
        name.withUTF8Buffer { name in
            for child in nodes[node].children where child.name.count == name.count && child.name.elementsEqual(name) {
                return child.node
            }
            return nil
        }
    }

    /// A text's inside; nil for anything else and for an empty one.
    func text(_ node: Int?) -> [UInt8]? {
        guard let node, nodes[node].kind == .text, !nodes[node].bytes.isEmpty else { return nil }
        return nodes[node].bytes
    }
}

extension DeltaTree {
    /// Takes a member of a delta, whose value comes next.
    /// - Parameters:
    ///   - object: the object that it belongs to.
    ///   - isStatement: whether texts are statements about the answer, which are repeated, and not parts of it.
    mutating func takeMember(
        _ walker: inout JSONWalker, named name: Range<Int>, in bytes: [UInt8], of object: Int,
        isStatement: Bool = false,
        depth: Int = 0
    ) throws(JSONScanError) {
        var known = child(bytes[name], of: object)
        if known == nil {
            guard nodes[object].children.count < SpanLimits.members else { return markCut() }
            guard charge(name.count + 4), let added = addNode() else { return }
            nodes[object].children.append(Child(name: Array(bytes[name]), node: added))
            known = added
        }
        guard let known else { return }
        var rule = JoinRule(of: bytes[name])
        if isStatement, rule == .joined { rule = .joinedUnlessRepeated }
        switch try walker.kind() {
        case .null: try walker.skip()
        case .string: if let text = try walker.string() { takeText(bytes, at: text, into: known, joinedBy: rule) }
        case .number, .true, .false: takeScalar(bytes, try walker.skip(), into: known)
        case .object: try takeObject(&walker, bytes, into: known, isStatement: isStatement, depth: depth)
        case .array: try takeArray(&walker, in: bytes, into: known, elements: Elements(of: bytes[name]), depth: depth)
        }
    }

    /// Puts a value in the place of the one that was there.
    mutating func replaceMember(
        _ walker: inout JSONWalker, named name: Range<Int>, in bytes: [UInt8], of object: Int
    ) throws(JSONScanError) {
        let value = try walker.skip()
        guard bytes[value.lowerBound] != UInt8(ascii: "n") else { return }
        let known = child(bytes[name], of: object)
        // Nearly all of them say the same in each event.
        if let known, Self.areEqual(nodes[known].bytes, bytes[value]) { return }
        room += known.map { nodes[$0].bytes.count } ?? 0
        if let known { nodes[known].bytes = [] }
        if known == nil, nodes[object].children.count >= SpanLimits.members { return markCut() }
        guard charge(value.count + (known == nil ? name.count + 4 : 0)), let node = known ?? addNode(.sealed) else {
            return
        }
        if known == nil { nodes[object].children.append(Child(name: Array(bytes[name]), node: node)) }
        nodes[node].bytes = Array(bytes[value])
    }

    mutating func markCut() { faults.insert(.cut) }

    private mutating func takeText(_ bytes: [UInt8], at text: Range<Int>, into node: Int, joinedBy rule: JoinRule) {
        switch nodes[node].kind {
        case .null, .scalar: nodes[node] = Node(kind: .text)
        case .text: break
        default: return markMixed()
        }
        guard !text.isEmpty else { return }
        let isEmpty = nodes[node].bytes.isEmpty
        switch rule {
        case .first where !isEmpty: return
        case .joinedUnlessRepeated where Self.areEqual(nodes[node].bytes, bytes[text]): return
        case .last where !isEmpty:
            room += nodes[node].bytes.count
            nodes[node].bytes = []
        default: break
        }
        let kept = kept(of: bytes, text)
        nodes[node].bytes.append(contentsOf: bytes[kept])
    }

    private mutating func takeScalar(_ bytes: [UInt8], _ value: Range<Int>, into node: Int) {
        guard nodes[node].kind == .null || nodes[node].kind == .scalar else { return markMixed() }
        room += nodes[node].bytes.count
        nodes[node] = Node(kind: .scalar)
        guard charge(value.count) else {
            nodes[node].kind = .null
            return
        }
        nodes[node].bytes = Array(bytes[value])
    }

    /// - Parameter isTakenApart: whether the object is taken apart from the beginning, since a part of it will have to
    ///   be changed.
    mutating func takeObject(
        _ walker: inout JSONWalker, _ bytes: [UInt8], into node: Int, isTakenApart: Bool = false,
        isStatement: Bool = false, depth: Int
    ) throws(JSONScanError) {
        guard try begin(.object, from: &walker, in: bytes, at: node, isTakenApart: isTakenApart, depth: depth) else {
            return
        }
        try walker.members { (walker, name) throws(JSONScanError) in
            try takeMember(&walker, named: name, in: bytes, of: node, isStatement: isStatement, depth: depth + 1)
        }
    }

    /// Keeps an object or array as it is, if it is the first in its place and there is room for it; otherwise makes the
    /// node ready for its members or elements.
    /// - Returns: false if the value has been taken, or cannot be.
    mutating func begin(
        _ kind: Kind, from walker: inout JSONWalker, in bytes: [UInt8], at node: Int, elements: Elements = .plain,
        isTakenApart: Bool = false, depth: Int
    ) throws(JSONScanError) -> Bool {
        switch nodes[node].kind {
        case .null, .scalar:
            nodes[node] = Node(kind: kind)
            var probe = walker
            let value = try probe.skip()
            if value.count <= room, !isTakenApart {
                room -= value.count
                nodes[node] = Node(kind: .whole, bytes: Array(bytes[value]))
                walker = probe
                return false
            }
            _ = charge(2)
        case .whole: try takeApart(node, elements, depth: depth)
        default: break
        }
        guard nodes[node].kind == kind else {
            nodes[node].kind == .sealed ? markCut() : markMixed()
            try walker.skip()
            return false
        }
        guard depth < SpanLimits.depth else {
            markCut()
            try walker.skip()
            return false
        }
        return true
    }

    mutating func markMixed() { faults.insert(.mixedKinds) }

    /// Makes an object or array of a value that was kept as it was written.
    mutating func takeApart(_ node: Int, _ elements: Elements = .plain, depth: Int) throws(JSONScanError) {
        guard nodes[node].kind == .whole else { return }
        let bytes = nodes[node].bytes
        var walker = JSONWalker(bytes)
        guard bytes.first == UInt8(ascii: "{") else {
            nodes[node] = Node(kind: .array)
            // Its room is taken already, and is taken again below.
            room += bytes.count
            return try takeElements(&walker, in: bytes, into: node, elements: elements, depth: depth)
        }
        var parts: [(name: Range<Int>, value: Range<Int>)] = []
        var isTooLarge = depth >= SpanLimits.depth
        try walker.members { (walker, name) throws(JSONScanError) in
            let value = try walker.skip()
            if parts.count < SpanLimits.members { parts.append((name, value)) } else { isTooLarge = true }
        }
        if isTooLarge || nodes.count + parts.count > SpanLimits.nodes {
            nodes[node].kind = .sealed
            return
        }
        nodes[node] = Node(kind: .object)
        for part in parts {
            guard let added = addNode() else { return }
            fill(added, from: bytes, at: part.value)
            nodes[node].children.append(Child(name: Array(bytes[part.name]), node: added))
        }
    }

    /// Gives a new node a value that comes from another node, for which room was taken.
    private mutating func fill(_ node: Int, from bytes: [UInt8], at value: Range<Int>) {
        switch bytes[value.lowerBound] {
        case UInt8(ascii: "\""): nodes[node] = Node(kind: .text, bytes: Array(bytes[value.dropFirst().dropLast()]))
        case UInt8(ascii: "{"), UInt8(ascii: "["): nodes[node] = Node(kind: .whole, bytes: Array(bytes[value]))
        case UInt8(ascii: "n"): break
        default: nodes[node] = Node(kind: .scalar, bytes: Array(bytes[value]))
        }
    }
}
