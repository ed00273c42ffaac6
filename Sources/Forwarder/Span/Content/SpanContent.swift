internal import Common
internal import NIOConcurrencyHelpers
internal import Policies

/// The extent to which a span shows a request and its answer.
enum SpanContent: Sendable {
    case whole
    /// All but the redactor's findings.
    case redacted(ContentRedactor)
    case withheld

    var isWithheld: Bool { if case .withheld = self { true } else { false } }

    /// The value of the span's metadata for it; nil if all is shown.
    var word: String? {
        switch self {
        case .whole: nil
        case .redacted: "redacted"
        case .withheld: "withheld"
        }
    }
}

/// Makes the redactor for a job's redaction, and remembers it: most jobs have one of a few redactions.
final class SpanContents: Sendable {
    private static let remembered = 64

    private let redactors = NIOLockedValueBox<[LogRedaction: ContentRedactor]>([:])

    func content(for logging: ContentLogging) -> SpanContent {
        switch logging {
        case .whole: return .whole
        case .withheld: return .withheld
        case .redacted(let redaction):
            if let known = redactors.withLockedValue({ $0[redaction] }) { return .redacted(known) }
            // A text that this version cannot find must not be shown.
            guard let new = ContentRedactor(redaction) else { return .withheld }
            redactors.withLockedValue { redactors in
                if redactors.count >= Self.remembered { redactors.removeAll(keepingCapacity: true) }
                redactors[redaction] = new
            }
            return .redacted(new)
        }
    }
}
