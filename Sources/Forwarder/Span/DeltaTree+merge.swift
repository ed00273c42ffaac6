internal import Common
internal import JSON

extension DeltaTree {
    /// Takes a member of a delta, whose value comes next.
    /// - Parameters:
    ///   - object: the object that it belongs to.
    ///   - isStatement: whether texts are statements about the answer, which are repeated, and not parts of it.
    mutating func takeMember(
        _ walker: inout JSONWalker, _ name: Range<Int>, _ bytes: [UInt8], of object: Int, isStatement: Bool = false,
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
        case .string: if let text = try walker.string() { takeText(bytes, text, into: known, rule) }
        case .number, .true, .false: takeScalar(bytes, try walker.skip(), into: known)
        case .object: try takeObject(&walker, bytes, into: known, isStatement: isStatement, depth: depth)
        case .array: try takeArray(&walker, bytes, into: known, Elements(of: bytes[name]), depth: depth)
        }
    }

    /// Puts a value in the place of the one that was there.
    mutating func replaceMember(
        _ walker: inout JSONWalker, _ name: Range<Int>, _ bytes: [UInt8], of object: Int
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

    private mutating func takeText(_ bytes: [UInt8], _ text: Range<Int>, into node: Int, _ rule: JoinRule) {
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
        guard try begin(.object, &walker, bytes, node, isTakenApart: isTakenApart, depth: depth) else { return }
        try walker.members { (walker, name) throws(JSONScanError) in
            try takeMember(&walker, name, bytes, of: node, isStatement: isStatement, depth: depth + 1)
        }
    }

    /// Keeps an object or array as it is, if it is the first in its place and there is room for it; otherwise makes the
    /// node ready for its members or elements.
    /// - Returns: false if the value has been taken, or cannot be.
    mutating func begin(
        _ kind: Kind, _ walker: inout JSONWalker, _ bytes: [UInt8], _ node: Int, _ elements: Elements = .plain,
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
            return try takeElements(&walker, bytes, into: node, elements, depth: depth)
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
            fill(added, bytes, part.value)
            nodes[node].children.append(Child(name: Array(bytes[part.name]), node: added))
        }
    }

    /// Gives a new node a value that comes from another node, for which room was taken.
    private mutating func fill(_ node: Int, _ bytes: [UInt8], _ value: Range<Int>) {
        switch bytes[value.lowerBound] {
        case UInt8(ascii: "\""): nodes[node] = Node(kind: .text, bytes: Array(bytes[value.dropFirst().dropLast()]))
        case UInt8(ascii: "{"), UInt8(ascii: "["): nodes[node] = Node(kind: .whole, bytes: Array(bytes[value]))
        case UInt8(ascii: "n"): break
        default: nodes[node] = Node(kind: .scalar, bytes: Array(bytes[value]))
        }
    }
}
