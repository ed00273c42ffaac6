internal import Crypto

/// One of the calls that were made for a completion, as its trace shows it: a span of its own below the completion's,
/// without usage. A completion of a single call has none.
package struct SpanAttempt: Sendable, Equatable {
    /// Counted from 1.
    package var number: Int
    /// `provider/model`.
    package var model: String
    /// The failure, as rules name failures; nil: its answer is the completion's.
    package var failure: String?
    package var began: Timestamp
    package var ended: Timestamp

    package init(number: Int, model: String, failure: String?, began: Timestamp, ended: Timestamp) {
        self.number = number
        self.model = model
        self.failure = failure
        self.began = began
        self.ended = max(began, ended)
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.number == right.number && left.model == right.model && left.failure == right.failure
            && left.began == right.began && left.ended == right.ended
    }

    package var name: String { "attempt \(number)" }

    /// The span's id, 16 hex digits: the same each time that the completion's trace is sent.
    package func spanID(of id: InsertionID) -> String {
        let hash = SHA256.hash(data: Array("\(id) attempt \(number)".utf8))
        return String(hexadecimal: Array(hash)[..<8])
    }

    /// The span's attributes in OTLP, each with its text.
    package func attributes(of id: InsertionID) -> [(key: String, text: String)] {
        var attributes = [
            ("langfuse.observation.type", "span"), ("langfuse.observation.metadata.attempt", String(number)),
            ("langfuse.observation.metadata.model", model), ("gateway.insertion_id", id.description),
        ]
        if let failure {
            attributes += [
                ("langfuse.observation.level", "ERROR"), ("langfuse.observation.status_message", failure),
                ("error.type", failure),
            ]
        }
        return attributes
    }
}
