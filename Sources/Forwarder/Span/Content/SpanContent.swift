internal import Common
internal import NIOConcurrencyHelpers
internal import Policies

/// The extent to which a span shows a request and its answer.
enum SpanContent: Sendable {
    case whole
    /// All but what is found.
    case redacted(ContentRedactor)
    case withheld

    var isWithheld: Bool { if case .withheld = self { true } else { false } }

    /// The value of the span's metadata that says so; nil where there is nothing to say.
    var word: String? {
        switch self {
        case .whole: nil
        case .redacted: "redacted"
        case .withheld: "withheld"
        }
    }
}

/// Makes of a job's redaction what finds it, and remembers it: most jobs have one of a few.
final class SpanContents: Sendable {
    private static let remembered = 64

    private let redactors = NIOLockedValueBox<[LogRedaction: ContentRedactor]>([:])

    func content(for logging: ContentLogging) -> SpanContent {
        switch logging {
        case .whole: return .whole
        case .withheld: return .withheld
        case .redacted(let redaction):
            if let known = redactors.withLockedValue({ $0[redaction] }) { return .redacted(known) }
            // What this version cannot find must not be shown.
            guard let new = ContentRedactor(redaction) else { return .withheld }
            redactors.withLockedValue { redactors in
                if redactors.count >= Self.remembered { redactors.removeAll(keepingCapacity: true) }
                redactors[redaction] = new
            }
            return .redacted(new)
        }
    }
}
