internal import Common
internal import JSON

/// Members of an answer that stand beside its choices and that nothing else of a span shows, such as a provider's
/// citations or `system_fingerprint`. A stream repeats them: of each the last that is not null stands.
struct ResponseMembers: Sendable {
    private var tree = DeltaTree(room: SpanLimits.small)

    var faults: ResponseFaults { tree.faults }
    var isEmpty: Bool { tree.nodes.isEmpty || tree.nodes[0].children.isEmpty }

    /// - Parameter name: the member's, whose value comes next.
    mutating func take(_ walker: inout JSONWalker, named name: Range<Int>, in bytes: [UInt8]) throws(JSONScanError) {
        guard !walker.isName(name, "object"), !walker.isName(name, "created"), !walker.isName(name, "obfuscation")
        else { return }
        if tree.nodes.isEmpty { _ = tree.addNode(.object) }
        try tree.replaceMember(&walker, named: name, in: bytes, of: 0)
    }

    var json: [UInt8] {
        var out: [UInt8] = []
        tree.write(0, to: &out)
        return out
    }
}
