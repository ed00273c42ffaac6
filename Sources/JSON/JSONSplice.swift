/// Edits of a JSON object's members that leave every other byte as it is.
///
/// Edits are collected and the text is built once, by `result()`. The last edit of a name counts. Every value that is
/// given must be JSON: it is put in as it is.
package struct JSONSplice: Sendable {
    private enum Edit: Sendable {
        case value([UInt8])
        case removed
    }

    private let object: JSONObject
    /// By the member's place in the object.
    private var edits: [Int: Edit] = [:]
    /// Members that the object did not have, in the order in which they came.
    private var additions: [(name: String, value: [UInt8])] = []

    package init(_ object: JSONObject) {
        self.object = object
    }

    /// Gives a member another value; its name stays as it is written. A member of another object is passed over.
    package mutating func replace(_ member: JSONObject.Member, with value: [UInt8]) {
        guard let index = object.members.firstIndex(of: member) else { return }
        edits[index] = .value(value)
    }

    /// Gives the member of that name the value, or adds one behind the others.
    package mutating func set(_ name: String, to value: [UInt8]) {
        if let index = memberIndex(name) {
            edits[index] = .value(value)
        } else if let index = additionIndex(name) {
            additions[index].value = value
        } else {
            additions.append((name, value))
        }
    }

    /// Takes the member of that name out, if there is one, with the comma that is then too many.
    package mutating func remove(_ name: String) {
        if let index = memberIndex(name) {
            edits[index] = .removed
        } else if let index = additionIndex(name) {
            additions.remove(at: index)
        }
    }

    /// The text with all edits, and with the text around the object. It is written without `JSONWriter`, since commas
    /// and spaces stay as they were.
    package func result() -> [UInt8] {
        let bytes = object.bytes
        var out: [UInt8] = []
        out.reserveCapacity(object.range.count + edits.count * 32 + additions.count * 64)
        out += bytes[object.range.lowerBound...object.braces.lowerBound]
        var isFirst = true
        for (index, member) in object.members.enumerated() {
            if case .removed = edits[index] { continue }
            out += bytes[gap(before: isFirst ? 0 : index)]
            isFirst = false
            out += bytes[member.key.lowerBound - 1..<member.value.lowerBound]
            if case .value(let value) = edits[index] { out += value } else { out += bytes[member.value] }
        }
        for (name, value) in additions {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(name, to: &out)
            out.append(UInt8(ascii: ":"))
            out += value
        }
        let last = object.members.last?.value.upperBound ?? object.braces.lowerBound + 1
        out += bytes[last..<object.range.upperBound]
        return out
    }

    /// The gap before a member's name: whitespace, and a comma unless it is the first member.
    private func gap(before index: Int) -> Range<Int> {
        let start = index == 0 ? object.braces.lowerBound + 1 : object.members[index - 1].value.upperBound
        return start..<object.members[index].key.lowerBound - 1
    }

    private func memberIndex(_ name: String) -> Int? {
        object.members.firstIndex { object.isName(name, of: $0) }
    }

    private func additionIndex(_ name: String) -> Int? {
        additions.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The text in which the member's present value lies, and where.
    package func current(_ name: String) -> (bytes: [UInt8], range: Range<Int>)? {
        guard let index = memberIndex(name) else {
            return additionIndex(name).map { (additions[$0].value, additions[$0].value.indices) }
        }
        return switch edits[index] {
        case .value(let value): (value, value.indices)
        case .removed: nil
        case nil: (object.bytes, object.members[index].value)
        }
    }
}
