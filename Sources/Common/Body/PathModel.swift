/// A model's name within a path.
///
/// Google's clients write `/v1beta/models/{model}:generateContent`, Azure's
/// `/openai/deployments/{model}/chat/completions`, Bedrock's `/model/{model}/converse`; OpenAI's read one model at
/// `/models/{model}`. A provider's prefix makes a segment more.
package struct PathModel: Sendable {
    /// Decoded.
    package let name: String
    /// Whether the path only tells of a model. Its first segment may be the model's own then, such as `meta-llama`.
    package let isLookUp: Bool
    private let before: Substring
    private let after: Substring
    /// A slash of the name as it is written: OpenAI's clients encode it.
    private let slash: String

    /// Nil if the path is of another form.
    /// - Parameter path: percent-encoded.
    package init?(method: String, path: String) {
        let isPost = method == "POST"
        guard path != "/chat/completions", let place = isPost ? Self.called(path) : Self.lookedUp(path) else {
            return nil
        }
        guard !place.isEmpty, let bytes = PercentDecoding.bytes(path[place].utf8),
            let name = String(validating: bytes, as: UTF8.self),
            name.isPrintable
        else { return nil }
        self.name = name
        isLookUp = !isPost
        slash = ["%2F", "%2f"].first { path[place].contains($0) } ?? "/"
        before = path[..<place.lowerBound]
        after = path[place.upperBound...]
    }

    /// The part of the path before the model.
    package var opening: String { String(before) }
    /// The part of the path behind the model, such as `:generateContent`.
    package var ending: String { String(after) }

    /// The path with another model's name in it.
    package func path(renamed model: String) -> String {
        let segments = model.split(separator: "/", omittingEmptySubsequences: false).map {
            PercentEncoding.segment(String($0), keeping: ":@!$&'()*+,;=")
        }
        return before + segments.joined(separator: slash) + after
    }

    /// Whether the path is one of Google's own, whose keys stand in `x-goog-api-key` or the query's `key`.
    package static func isGoogles(_ path: String) -> Bool { path.hasPrefix("/v1beta") || path.hasPrefix("/v1alpha") }

    private static let operations = [
        "/chat/completions", "/completions", "/embeddings", "/responses", "/audio/transcriptions",
        "/audio/translations", "/audio/speech",
        "/images/generations", "/images/edits", "/images/variations",
    ]
    private static let invocations = ["/invoke", "/invoke-with-response-stream", "/converse", "/converse-stream"]

    private static func called(_ path: String) -> Range<String.Index>? {
        for (opening, endings) in [
            ("/openai/deployments/", operations), ("/engines/", operations), ("/model/", invocations),
        ] {
            guard path.hasPrefix(opening) else { continue }
            let start = path.index(path.startIndex, offsetBy: opening.utf8.count)
            // The longest ending counts; of an unknown one it is the last segment.
            let ends = endings.filter { path.hasSuffix($0) }.map { path.index(path.endIndex, offsetBy: -$0.utf8.count) }
            guard let end = ends.min() ?? path.lastIndex(of: "/"), start < end else { return nil }
            return start..<end
        }
        guard let models = path.firstRange(of: "/models/"), let method = methodStart(path), models.upperBound < method
        else { return nil }
        return models.upperBound..<method
    }

    private static func lookedUp(_ path: String) -> Range<String.Index>? {
        guard let models = path.firstRange(of: "/models/"), models.lowerBound == path.startIndex || isGoogles(path)
        else { return nil }
        return models.upperBound..<path.endIndex
    }

    /// The beginning of `:generateContent`. Its colon may be encoded.
    private static func methodStart(_ path: String) -> String.Index? {
        let plain = path.utf8.lastIndex(of: UInt8(ascii: ":"))
        let encoded = path.ranges(of: "%3A").last?.lowerBound ?? path.ranges(of: "%3a").last?.lowerBound
        guard let start = [plain, encoded].compactMap({ $0 }).max() else { return nil }
        let name = path[start...].utf8.drop { $0 == UInt8(ascii: ":") }
        let letters = name.starts(with: "%3".utf8) ? name.dropFirst(3) : name
        return !letters.isEmpty && letters.allSatisfy { (0x61...0x7A).contains($0.asciiLowercased) } ? start : nil
    }
}
