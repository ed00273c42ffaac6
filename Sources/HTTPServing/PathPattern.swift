internal import Common

/// The path of a route: a text, in which one parameter may stand.
///
///     /queue/dead                    this path alone
///     /queue/dead/{entry}/requeue    a segment, which may be empty
///     /rollouts/{+rollout_id}        all that follows, slashes too
///
/// The notation is that of URI templates (RFC 6570 §3.2.3).
package struct PathPattern: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    private enum Parameter {
        case absent, segment, rest
    }

    /// As documents write it: `/rollouts/{rollout_id}`.
    package let description: String
    private let parameter: Parameter
    /// The text before the parameter, and behind it.
    private let prefix, suffix: String

    package init(stringLiteral text: String) {
        let parts = text.split(separator: "{", maxSplits: 1)
        prefix = parts.first.map { String($0) } ?? ""
        guard parts.count == 2, let name = parts.last else {
            description = prefix
            parameter = .absent
            suffix = ""
            return
        }
        let isRest = name.hasPrefix("+")
        let shown = isRest ? name.dropFirst() : name
        description = "\(prefix){\(shown)"
        parameter = isRest ? .rest : .segment
        suffix =
            shown.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false).last.map { String($0) } ?? ""
    }

    package var hasParameter: Bool { parameter != .absent }

    /// Compares a path as it came: percent-encoded, byte by byte, a slash at its end too.
    /// - Returns: what stands in the parameter's place, still encoded, and empty if the pattern has none; nil for
    ///   another path.
    package func parameter(in path: String) -> String? {
        guard hasParameter else { return path.utf8.elementsEqual(prefix.utf8) ? "" : nil }
        guard path.utf8.count >= prefix.utf8.count + suffix.utf8.count, path.hasPrefix(prefix), path.hasSuffix(suffix)
        else { return nil }
        let value = path.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        guard parameter == .rest || !value.contains(UInt8(ascii: "/")) else { return nil }
        return String(Substring(value))
    }
}
