internal import Common
internal import JSON

extension DeltaTree {
    /// The rule by which an element of an array continues an earlier one.
    enum Elements: Sendable {
        /// An element continues the one with the same `index`, unless its `type`, its `id` or a whole `url` shows that
        /// it is another.
        case plain
        /// Tool calls: see `ToolCallKey`.
        case calls
        /// As `plain`. An element of this type without `index` also continues the last one, if that is of this type too
        /// and has no signature yet. LiteLLM and Mistral stream the parts of a thought so.
        case growing(StaticString)

        init(of name: ArraySlice<UInt8>) {
            self = Self.named.first { $0.name.count == name.count && $0.name.elementsEqual(name) }?.elements ?? .plain
        }

        private static let named: [(name: [UInt8], elements: Elements)] = [
            (Array("tool_calls".utf8), .calls), (Array("thinking_blocks".utf8), .growing("thinking")),
            (Array("thinking".utf8), .growing("text")),
            (Array("content".utf8), .growing("thinking")),
        ]

        var areCalls: Bool {
            if case .calls = self { return true }
            return false
        }
    }

    mutating func takeArray(
        _ walker: inout JSONWalker, in bytes: [UInt8], into node: Int, elements: Elements, depth: Int
    ) throws(JSONScanError) {
        guard
            try begin(
                .array, from: &walker, in: bytes, at: node, elements: elements, isTakenApart: elements.areCalls,
                depth: depth)
        else {
            return
        }
        try takeElements(&walker, in: bytes, into: node, elements: elements, depth: depth)
    }

    mutating func takeElements(
        _ walker: inout JSONWalker, in bytes: [UInt8], into node: Int, elements: Elements, depth: Int
    ) throws(JSONScanError) {
        var mayGrow = true
        try walker.elements { (walker) throws(JSONScanError) in
            try takeElement(&walker, in: bytes, into: node, elements: elements, mayGrow: mayGrow, depth: depth)
            // None of several elements in one event is a part of another.
            mayGrow = false
        }
    }

    private mutating func takeElement(
        _ walker: inout JSONWalker, in bytes: [UInt8], into node: Int, elements: Elements, mayGrow: Bool, depth: Int
    ) throws(JSONScanError) {
        guard try walker.kind() == .object else { return try append(&walker, bytes, to: node) }
        let key = try ElementKey(walker, bytes)
        var known: Int?
        switch elements {
        case .calls: known = try call(key, bytes, among: node, depth: depth)
        case .plain: known = try indexed(key, bytes, among: node, depth: depth)
        case .growing(let type):
            known = try indexed(key, bytes, among: node, depth: depth)
            if known == nil, key.index == nil, mayGrow {
                known = try grown(key, type: type, in: bytes, among: node, depth: depth)
            }
        }
        if let known { return try takeObject(&walker, bytes, into: known, depth: depth + 1) }
        if elements.areCalls || key.index != nil || isGrowing(elements, key: key, in: bytes) {
            guard nodes[node].children.count < SpanLimits.pieces else { return markCut() }
            guard charge(1), let added = addNode() else { return }
            nodes[node].children.append(Child(name: key.index.map { Array(bytes[$0]) } ?? [], node: added))
            return try takeObject(&walker, bytes, into: added, isTakenApart: elements.areCalls, depth: depth + 1)
        }
        try append(&walker, bytes, to: node)
    }

    /// Appends an element as it is, whole or not at all.
    private mutating func append(_ walker: inout JSONWalker, _ bytes: [UInt8], to node: Int) throws(JSONScanError) {
        let value = try walker.skip()
        guard charge(value.count + 1), let run = run(of: node) else { return }
        nodes[run].bytes.append(contentsOf: bytes[value])
    }

    /// Appends an element for a part of which room was taken before.
    mutating func appendElement(_ element: [UInt8], charged: Int, to node: Int) {
        room -= element.count + 1 - charged
        guard let run = run(of: node) else { return }
        nodes[run].bytes.append(contentsOf: element)
    }

    /// The node to which the next element of an array is appended.
    private mutating func run(of node: Int) -> Int? {
        if let last = nodes[node].children.last, nodes[last.node].kind == .elements {
            nodes[last.node].bytes.append(UInt8(ascii: ","))
            return last.node
        }
        guard nodes[node].children.count < SpanLimits.pieces else {
            markCut()
            return nil
        }
        guard let added = addNode(.elements) else { return nil }
        nodes[node].children.append(Child(name: [], node: added))
        return added
    }

    private func isGrowing(_ elements: Elements, key: ElementKey, in bytes: [UInt8]) -> Bool {
        guard case .growing(let type) = elements, let own = key.type else { return false }
        return type.withUTF8Buffer { $0.elementsEqual(bytes[own]) }
    }

    /// The last element, if this one is a further part of it.
    private mutating func grown(
        _ key: ElementKey, type: StaticString, in bytes: [UInt8], among node: Int, depth: Int
    ) throws(JSONScanError) -> Int? {
        guard isGrowing(.growing(type), key: key, in: bytes), let last = nodes[node].children.last, last.name.isEmpty
        else {
            return nil
        }
        try takeApart(last.node, depth: depth + 1)
        guard nodes[last.node].kind == .object, let known = text(child("type", of: last.node)),
            key.type.map({ bytes[$0].elementsEqual(known) }) == true,
            text(child("signature", of: last.node)) == nil
        else { return nil }
        return last.node
    }

    private mutating func indexed(
        _ key: ElementKey, _ bytes: [UInt8], among node: Int, depth: Int
    ) throws(JSONScanError) -> Int? {
        guard let index = key.index else { return nil }
        for child in nodes[node].children.reversed()
        where child.name.count == index.count && child.name.elementsEqual(bytes[index]) {
            try takeApart(child.node, depth: depth + 1)
            guard nodes[child.node].kind == .object else { continue }
            let isSame =
                agrees(key.type, bytes, with: self.child("type", of: child.node))
                && agrees(key.id, bytes, with: self.child("id", of: child.node))
            guard isSame else { continue }
            if try !hasOther(key.url, bytes, in: child.node, depth: depth) { return child.node }
        }
        return nil
    }

    /// Whether two texts are equal, or one is not there.
    private func agrees(_ range: Range<Int>?, _ bytes: [UInt8], with node: Int?) -> Bool {
        guard let range, !range.isEmpty, let known = text(node) else { return true }
        return known.count == range.count && known.elementsEqual(bytes[range])
    }

    /// Whether an image has another whole URL: some providers give all of them the index 0.
    private mutating func hasOther(
        _ url: Range<Int>?, _ bytes: [UInt8], in node: Int, depth: Int
    ) throws(JSONScanError) -> Bool {
        guard let url, ["data:", "http:", "https:"].contains(where: { bytes[url].starts(with: $0.utf8) }),
            let image = child("image_url", of: node)
        else { return false }
        try takeApart(image, depth: depth + 2)
        guard nodes[image].kind == .object, let known = text(child("url", of: image)) else { return false }
        return !(known.count == url.count && known.elementsEqual(bytes[url]))
    }

    /// The call that this one continues. Some providers (Gemini's compatible endpoint) give all calls the index 0, or
    /// none, and each whole; some repeat id and name in each event, and some make up a new id.
    private mutating func call(
        _ key: ElementKey, _ bytes: [UInt8], among node: Int, depth: Int
    ) throws(JSONScanError) -> Int? {
        let hasName = key.name.map { !$0.isEmpty } ?? false
        let id = key.id.flatMap { $0.isEmpty ? nil : $0 }
        guard let index = key.index else {
            guard let id else {
                return hasName
                    ? nil : nodes[node].children.last.flatMap { nodes[$0.node].kind == .object ? $0.node : nil }
            }
            return nodes[node].children.last {
                text(child("id", of: $0.node)).map { $0.elementsEqual(bytes[id]) } ?? false
            }?.node
        }
        for child in nodes[node].children.reversed()
        where child.name.count == index.count && child.name.elementsEqual(bytes[index]) {
            guard nodes[child.node].kind == .object else { continue }
            guard hasName else { return child.node }
            if let id, let known = text(self.child("id", of: child.node)) {
                if known.elementsEqual(bytes[id]) { return child.node }
                continue
            }
            if try !isOther(key, bytes, than: child.node, depth: depth) { return child.node }
        }
        return nil
    }

    /// Whether a call with a name, which no id tells apart, is another one.
    private mutating func isOther(
        _ key: ElementKey, _ bytes: [UInt8], than call: Int, depth: Int
    ) throws(JSONScanError) -> Bool {
        guard let part = child("function", of: call) ?? child("custom", of: call), let name = key.name else {
            return false
        }
        try takeApart(part, depth: depth + 2)
        guard nodes[part].kind == .object, let knownName = text(child("name", of: part)) else { return false }
        let input = child("arguments", of: part) ?? child("input", of: part)
        let isBegun =
            input.map { nodes[$0].kind != .null && !(nodes[$0].kind == .text && nodes[$0].bytes.isEmpty) } ?? false
        guard knownName.elementsEqual(bytes[name]) else { return isBegun || key.hasInput }
        guard isBegun, key.hasText, let input else { return false }
        // The same name again: the next part of a call that is not whole yet, or the next call.
        guard nodes[input].kind == .text, child("arguments", of: part) != nil else { return true }
        let text = nodes[input].bytes
        return nodes[input].end.isWhole(text)
    }
}
