internal import Common
internal import JSON

/// The gateway's knowledge of the models that the default provider lists.
enum ListedModels: Sendable, Equatable {
    /// The provider was asked, and has no list.
    case unknown
    /// The provider was asked, and could not answer at the moment.
    case unavailable
    case known(Set<UTF8Text>)

    func contains(_ model: String) -> Bool {
        switch self {
        case .unknown, .unavailable: false
        case .known(let models): models.contains(model)
        }
    }
}

extension ListedModels {
    /// Reads the answer to `GET /models`: OpenAI's form, or the array alone, as some servers send it.
    /// - Returns: nil if it is not a list of models.
    init?(answer body: [UInt8]) {
        guard JSONWalker.isValue(body) else { return nil }
        var walker = JSONWalker(body)
        var found: Set<UTF8Text>?
        do throws(JSONScanError) {
            switch try walker.kind() {
            case .array: found = try Self.ids(&walker, body)
            case .object:
                try walker.members { inner, name throws(JSONScanError) in
                    guard inner.isName(name, "data"), try inner.kind() == .array else { return }
                    found = try Self.ids(&inner, body)
                }
            default: return nil
            }
        } catch {
            return nil
        }
        guard let found else { return nil }
        self = .known(found)
    }

    /// The member `id` of each element.
    private static func ids(_ walker: inout JSONWalker, _ body: [UInt8]) throws(JSONScanError) -> Set<UTF8Text> {
        var ids: Set<UTF8Text> = []
        try walker.elements { entry throws(JSONScanError) in
            try entry.members { member, name throws(JSONScanError) in
                guard member.isName(name, "id"), let text = try member.string(),
                    let id = JSONText.unescaped(body[text])
                else { return }
                ids.insert(UTF8Text(id))
            }
        }
        return ids
    }
}
