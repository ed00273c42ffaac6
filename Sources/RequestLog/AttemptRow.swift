/// One call of a provider that was made for a request.
package struct AttemptRow: Sendable, Equatable {
    /// Counted from 1.
    package var number: Int
    /// `provider/model`.
    package var model: String
    /// Its failure as rules name failures, `lost` for one whose forwarder died; nil: its answer is the request's.
    package var failure: String?
    /// Milliseconds since 1970.
    package var began: UInt64
    package var ended: UInt64

    package init(number: Int, model: String, failure: String?, began: UInt64, ended: UInt64) {
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
}
