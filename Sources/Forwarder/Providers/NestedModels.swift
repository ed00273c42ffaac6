internal import Common
internal import JSON

/// Models that a JSON body names somewhere below its top, as batches and sessions do.
enum NestedModels {
    /// The first text of a member `model`, at any depth, that `isWanted`. Nil if there is none, or the body is not
    /// JSON.
    static func first(in body: [UInt8], maximumDepth: Int, where isWanted: (String) -> Bool) -> String? {
        guard let opening = body.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }), "{[".utf8.contains(opening)
        else { return nil }
        var walker = JSONWalker(body)
        var found: String?
        do throws(JSONScanError) {
            try visit(&walker, in: body, depth: maximumDepth) { model in
                if found == nil, isWanted(model) { found = model }
            }
        } catch {
            return found
        }
        return found
    }

    private static func visit(
        _ walker: inout JSONWalker, in body: [UInt8], depth: Int, note: (String) -> Void
    ) throws(JSONScanError) {
        guard depth > 0 else { return }
        switch try walker.kind() {
        case .array:
            try walker.elements { inner throws(JSONScanError) in
                try visit(&inner, in: body, depth: depth - 1, note: note)
            }
        case .object:
            try walker.members { inner, name throws(JSONScanError) in
                guard inner.isName(name, "model"), try inner.kind() == .string else {
                    return try visit(&inner, in: body, depth: depth - 1, note: note)
                }
                if let text = try inner.string(), let model = JSONText.unescaped(body[text]) { note(model) }
            }
        default: return
        }
    }
}
