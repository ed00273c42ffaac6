import Foundation

@testable import Common

/// The path parser once more: slow, and written so that its rightness can be seen. It says only whether a path is good,
/// not what is wrong with it.
enum ReferencePath {
    private static let forbidden = CharacterSet(charactersIn: "\0"..."\u{1F}").union(
        CharacterSet(charactersIn: "\u{7F}"..."\u{9F}")
    )
    .union(CharacterSet(charactersIn: "/\u{2028}\u{2029}"))
    private static let labels = ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"]

    /// What the path asks for, or nil if it must be refused.
    static func parse(_ path: String) -> (project: String?, route: GatewayPath.Route)? {
        guard path.hasPrefix("/"), path.unicodeScalars.allSatisfy({ $0 > " " && $0 <= "~" && $0 != "?" && $0 != "#" })
        else { return nil }
        var parts = path.components(separatedBy: "/").dropFirst().map { $0 }
        var project: String?
        if parts.first == "v1" { parts.removeFirst() }
        if parts.first == "project_id" {
            guard parts.count > 1, let id = id(parts[1]) else { return nil }
            project = id
            parts.removeFirst(2)
            if parts.first == "v1" { parts.removeFirst() }
        }
        if let first = parts.first, (labels + ["project_id", "encoded_base_url"]).contains(first) {
            return rollout(parts).map { (project, $0) }
        }
        if parts == ["chat", "completions"] || parts == ["chat", "completions", ""] { return (project, .completion) }
        return isSafe(parts) ? (project, .other("/" + parts.joined(separator: "/"))) : nil
    }

    private static func rollout(_ parts: [String]) -> GatewayPath.Route? {
        guard parts.count >= 12, (0..<5).allSatisfy({ parts[2 * $0] == labels[$0] }) else { return nil }
        let ids = (0..<5).compactMap { id(parts[2 * $0 + 1]) }
        guard ids.count == 5 else { return nil }
        var tail = Array(parts[10...])
        var baseURL: String?
        if tail.first == "encoded_base_url" {
            guard tail.count > 1, let digits = decode(tail[1]), let url = decodeBase64(digits) else { return nil }
            baseURL = url
            tail.removeFirst(2)
        }
        if tail.first == "v1" { tail.removeFirst() }
        guard tail == ["chat", "completions"] || tail == ["chat", "completions", ""] else { return nil }
        let rollout = RolloutIDs(rollout: ids[0], invocation: ids[1], experiment: ids[2], run: ids[3], row: ids[4])
        return .rollout(rollout, baseURL: baseURL)
    }

    /// Foundation puts U+FFFD where the bytes are not UTF-8; no test sends that character itself.
    private static func decode(_ part: String) -> String? {
        part.removingPercentEncoding.flatMap { $0.contains("\u{FFFD}") ? nil : $0 }
    }

    private static func id(_ part: String) -> String? {
        guard let id = decode(part), (1...128).contains(id.unicodeScalars.count), id != ".", id != ".." else {
            return nil
        }
        return id.unicodeScalars.contains(where: forbidden.contains) ? nil : id
    }

    /// Bit by bit.
    private static func decodeBase64(_ text: String) -> String? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let digits = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/").reversed()
            .drop { $0 == "=" }.reversed()
        var bits = ""
        for digit in digits {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            bits += String(repeating: "0", count: 6 - String(value, radix: 2).count) + String(value, radix: 2)
        }
        guard digits.count % 4 != 1 else { return nil }
        let bytes = stride(from: 0, to: bits.count / 8 * 8, by: 8).compactMap {
            UInt8(bits.dropFirst($0).prefix(8), radix: 2)
        }
        return bytes.isEmpty ? nil : String(bytes: bytes, encoding: .utf8)
    }

    private static func isSafe(_ parts: [String]) -> Bool {
        parts.enumerated().allSatisfy { index, part in
            let escapes = part.components(separatedBy: "%").dropFirst().map { $0.prefix(2).uppercased() }
            let areHex = escapes.allSatisfy { $0.count == 2 && $0.allSatisfy(\.isHexDigit) }
            let areHarmless = escapes.allSatisfy {
                !["5C", "7F"].contains($0) && !$0.hasPrefix("0") && !$0.hasPrefix("1")
            }
            let plain = part.uppercased().replacingOccurrences(of: "%2E", with: ".")
            // Below /models a slash of the model's name may be encoded.
            let inner = plain.components(separatedBy: "%2F")
            let areParts = inner.count == 1 || parts[0] == "models" && !inner.contains("")
            return areHex && areHarmless && areParts && !part.contains("\\") && !inner.contains(".")
                && !inner.contains("..") && (!part.isEmpty || index == parts.count - 1)
        }
    }
}
