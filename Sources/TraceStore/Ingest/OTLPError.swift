/// An export that cannot be read as OTLP. Nothing of it is stored.
struct OTLPError: Error, Equatable {
    /// The fault and its place.
    var message: String

    init(_ message: String) { self.message = message }
}
