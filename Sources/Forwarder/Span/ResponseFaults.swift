/// The parts of an answer that could not be read, or are not kept.
struct ResponseFaults: OptionSet, Sendable {
    let rawValue: UInt16

    /// Parts are left out, since a span holds no more.
    static let cut = ResponseFaults(rawValue: 1)
    /// Texts were not UTF-8.
    static let repairedText = ResponseFaults(rawValue: 1 << 1)
    /// `NaN`, `Infinity` or `-Infinity` stood for a number, which JSON does not have.
    static let repairedNumbers = ResponseFaults(rawValue: 1 << 2)
    /// Events of a stream were not JSON objects.
    static let unreadEvents = ResponseFaults(rawValue: 1 << 3)
    /// A member was a text in one event and an object in another, or the like.
    static let mixedKinds = ResponseFaults(rawValue: 1 << 4)

    /// A text for a person; nil if there is nothing to say.
    var note: String? {
        let sentences = Self.sentences.filter { contains($0.fault) }.map(\.text)
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    private static let sentences: [(fault: ResponseFaults, text: String)] = [
        (.cut, "The answer is longer than a span holds; its end is left out."),
        (.repairedText, "Parts of the answer are not UTF-8; U+FFFD stands in their place."),
        (
            .repairedNumbers,
            "The answer has NaN or Infinity as numbers, which JSON does not know; they are strings here."
        ),
        (.unreadEvents, "Events of the stream are not JSON objects and are left out."),
        (.mixedKinds, "Members of the message changed their kind within the stream; the first kind is kept."),
    ]
}
