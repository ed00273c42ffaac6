/// A score of a trace, or of one of its observations. Each member of bytes is a JSON value, a string with its quotes.
package struct TraceScore: Sendable, Equatable {
    package var id: [UInt8]
    package var name: [UInt8]
    /// A number, a truth value or a text, by the kind of the data.
    package var value: [UInt8]
    package var dataType: [UInt8]
    package var source: [UInt8]
    package var comment: [UInt8]
    package var metadata: [UInt8]
    package var configID: [UInt8]
    /// `null` for a score of the trace as a whole.
    package var observationID: [UInt8]
    package var timestamp: [UInt8]
}
