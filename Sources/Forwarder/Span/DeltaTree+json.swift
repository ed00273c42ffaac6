internal import Common

extension DeltaTree {
    /// Writes a value. Values that were taken apart are at most `SpanLimits.depth` deep. `JSONWriter` is not used:
    /// nodes hold bytes that are escaped already, and this runs for each completion.
    func write(_ node: Int, to out: inout [UInt8]) {
        switch nodes[node].kind {
        case .null: out += "null".utf8
        case .scalar, .whole, .sealed, .elements:
            out += nodes[node].bytes.isEmpty ? Array("null".utf8) : nodes[node].bytes
        case .text:
            out.append(UInt8(ascii: "\""))
            out += nodes[node].bytes
            out.append(UInt8(ascii: "\""))
        case .object:
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            for child in nodes[node].children { writeMember(child, &isFirst, to: &out) }
            out.append(UInt8(ascii: "}"))
        case .array:
            out.append(UInt8(ascii: "["))
            for (place, child) in ordered(node).enumerated() {
                if place > 0 { out.append(UInt8(ascii: ",")) }
                write(child.node, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
    }

    func writeMember(_ child: Child, _ isFirst: inout Bool, to out: inout [UInt8]) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        out.append(UInt8(ascii: "\""))
        out += child.name
        out += #"":"#.utf8
        if nodes[child.node].kind == .array, Elements(of: child.name[...]).areCalls {
            writeCalls(child.node, to: &out)
        } else {
            write(child.node, to: &out)
        }
    }

    /// Tool calls have an `index` in a stream alone. A type that was never said is that of the tool, since OpenAI's
    /// clients read no call without one.
    private func writeCalls(_ node: Int, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "["))
        for (place, call) in ordered(node).enumerated() {
            if place > 0 { out.append(UInt8(ascii: ",")) }
            guard nodes[call.node].kind == .object else {
                write(call.node, to: &out)
                continue
            }
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            let hasType = child("type", of: call.node) != nil
            for member in nodes[call.node].children where !member.name.elementsEqual("index".utf8) {
                let kind = Self.tools.first { $0.elementsEqual(member.name) }
                if let kind, !hasType {
                    out += (isFirst ? "" : ",").utf8
                    out += #""type":""#.utf8
                    out += kind
                    out.append(UInt8(ascii: "\""))
                    isFirst = false
                }
                writeMember(member, &isFirst, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
    }

    private static let tools = ["function", "custom"].map { Array($0.utf8) }

    /// The elements of an array, by their `index` if all have one that is a number.
    private func ordered(_ node: Int) -> [Child] {
        let children = nodes[node].children
        let numbers = children.compactMap { Int(String(decoding: $0.name, as: UTF8.self)) }
        guard numbers.count == children.count, zip(numbers, numbers.dropFirst()).contains(where: { $0 > $1 }) else {
            return children
        }
        return zip(numbers, children).enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(
            \.element.1)
    }
}
