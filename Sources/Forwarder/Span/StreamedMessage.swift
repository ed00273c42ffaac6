internal import Common

/// The message of one choice, put together from a stream's deltas. Texts are kept as they were written, escaped: behind
/// one another they are one JSON string.
///
/// The members whose texts make up nearly all of a stream have places of their own; all others are in the collector's
/// tree.
struct StreamedMessage: Sendable {
    /// The members whose text comes in parts.
    enum Part: Int, CaseIterable, Sendable {
        case content, reasoningContent, reasoning, refusal

        var name: StaticString {
            switch self {
            case .content: "content"
            case .reasoningContent: "reasoning_content"
            case .reasoning: "reasoning"
            case .refusal: "refusal"
            }
        }
    }

    let index: Int
    /// The message's other members.
    let root: Int
    /// The node of its choice's members beside the message.
    let beside: Int
    var role: [UInt8] = []
    var texts = [[UInt8]?](repeating: nil, count: Part.allCases.count)
    /// A `content` that is an array.
    var contentParts: Int?
    var finishReason: [UInt8] = []
    var hasDelta = false
    /// A message that came whole, as it was written. It counts where no delta came.
    var whole: [UInt8] = []

    init(index: Int, root: Int, beside: Int) { (self.index, self.root, self.beside) = (index, root, beside) }

    /// The message as the Chat Completions API gives it without a stream. Behind its own members stand the other
    /// members of its choice.
    func json(_ tree: DeltaTree, cutAfter: Int?) -> [UInt8] {
        var out: [UInt8] = []
        var known = Part.allCases.filter { texts[$0.rawValue] != nil }.map(\.name)
        if !hasDelta, !whole.isEmpty {
            out += whole.dropLast()
            if out.count > 1, tree.nodes[beside].children.isEmpty { return whole }
        } else {
            out += #"{"role":""#.utf8
            out += role.isEmpty ? Array("assistant".utf8) : role
            out += #"","content":"#.utf8
            appendContent(tree, cutAfter: cutAfter, to: &out)
            known += ["role", "content"]
            for part in Part.allCases.dropFirst() {
                guard let text = texts[part.rawValue] else { continue }
                out += #",""#.utf8
                part.name.withUTF8Buffer { out.append(contentsOf: $0) }
                out += #"":""#.utf8
                out += text
                out.append(UInt8(ascii: "\""))
            }
            append(tree, tree.nodes[root].children, except: known, to: &out)
        }
        append(
            tree,
            tree.nodes[beside].children.filter {
                tree.child($0.name[...], of: root) == nil && tree.nodes[$0.node].kind != .null
            },
            except: known, to: &out)
        out.append(UInt8(ascii: "}"))
        return out
    }

    private func append(
        _ tree: DeltaTree, _ members: [DeltaTree.Child], except known: [StaticString], to out: inout [UInt8]
    ) {
        var isFirst = out.count <= 1
        for member in members where !known.contains(where: { $0.withUTF8Buffer { $0.elementsEqual(member.name) } }) {
            tree.writeMember(member, &isFirst, to: &out)
        }
    }

    private func appendContent(_ tree: DeltaTree, cutAfter: Int?, to out: inout [UInt8]) {
        let mark = cutAfter.map { SpanLimits.mark(kept: $0) } ?? ""
        let text = texts[Part.content.rawValue]
        if let contentParts {
            tree.write(contentParts, to: &out)
            out.removeLast()
            for text in [text ?? [], Array(mark.utf8)] where !text.isEmpty {
                if out.last != UInt8(ascii: "[") { out.append(UInt8(ascii: ",")) }
                out += Self.textPart(text)
            }
            out.append(UInt8(ascii: "]"))
        } else if let text {
            out.append(UInt8(ascii: "\""))
            out += text
            out += "\(mark)\"".utf8
        } else if cutAfter == nil, let other = tree.child("content", of: root) {
            tree.write(other, to: &out)
        } else {
            out += (cutAfter != nil ? "\"\(mark)\"" : "null").utf8
        }
    }

    /// An element of a `content` that is an array.
    static func textPart(_ text: [UInt8]) -> [UInt8] {
        Array(#"{"type":"text","text":""#.utf8) + text + Array(#""}"#.utf8)
    }
}
