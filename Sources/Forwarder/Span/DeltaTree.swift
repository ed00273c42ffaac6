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
