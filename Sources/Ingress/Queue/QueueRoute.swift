internal import Common
internal import HTTPTypes

/// What a path under `/queue` stands for.
enum QueueRoute: Equatable {
    static let path = "/queue"
    static let lettersPath = "/queue/dead"

    /// What waits, and who works on it.
    case state
    case letters
    /// The dead letter at an entry.
    case letter(String)
    case requeue(String)

    /// - Parameter path: without `/v1`, project and query. Nil if it is another path.
    init?(_ path: String) {
        guard path != Self.path else {
            self = .state
            return
        }
        guard path == Self.lettersPath || path.hasPrefix(Self.lettersPath + "/") else { return nil }
        let rest = path.utf8.dropFirst(Self.lettersPath.utf8.count)
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
            .map { String(decoding: $0, as: UTF8.self) }
        switch rest.count {
        case 0: self = .letters
        case 1: self = .letter(rest[0])
        case 2 where rest[1] == "requeue": self = .requeue(rest[0])
        default: return nil
        }
    }

    /// Whether it changes something.
    var isAction: Bool {
        switch self {
        case .state, .letters: false
        case .letter, .requeue: true
        }
    }

    /// The methods that it has.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .state, .letters: [.get, .head]
        case .letter: [.delete]
        case .requeue: [.post]
        }
    }
}
