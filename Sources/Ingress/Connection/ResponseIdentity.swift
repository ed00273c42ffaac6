internal import Common
internal import HTTPServing
internal import HTTPTypes

/// Gives every request its insertion id and writes it on every answer, errors too.
struct ResponseIdentity: Sendable {
    private let generator: InsertionIDGenerator

    init(generator: InsertionIDGenerator) { self.generator = generator }

    func next() -> InsertionID { generator.next() }

    /// Adds `x-insertion-id`, unless the answer is another job's, and `x-request-id`, unless the provider's own is
    /// there.
    func addHeaders(to headers: inout HTTPFields, of id: InsertionID) {
        let text = headers[.insertionID] ?? id.description
        headers[.insertionID] = text
        if headers[.requestID] == nil { headers[.requestID] = text }
    }
}

extension HTTPField.Name {
    static let insertionID = HTTPField.Name(constant: "x-insertion-id")
    static let requestID = HTTPField.Name(constant: "x-request-id")
}
