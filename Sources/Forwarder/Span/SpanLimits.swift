/// The bounds of the parts of a span. A span fits a batch as Langfuse's cloud takes it: see ``span(textBytes:)``.
enum SpanLimits {
    /// Bytes of the input and of the output, each, unless SPAN_TEXT_BYTES says otherwise. Langfuse itself cuts fields
    /// above 1 MiB when its database refuses a row.
    static let spanText = 4 << 20
    /// Bytes of the model's parameters, of the metadata, of the client's tags and of an answer's members beside its
    /// choices, each.
    static let small = 32 << 10
    /// Bytes of one name or value that is not text: a model, an id, a tag. Langfuse's own fields of this kind end at
    /// 200 characters.
    static let value = 1 << 10
    /// Bytes of the status message of a failed call.
    static let message = 1 << 10
    /// Bytes of an answer's body that are kept at least to be read when it ends, if it is not a stream. Twice an
    /// output's bytes may be more.
    static let body = 4 << 20
    /// Bytes of one line of a stream; a longer one is passed over.
    static let line = 1 << 20
    /// Choices of one answer, and elements of one array, such as tool calls, that are put together from a stream.
    static let pieces = 1024
    /// Members of one object that are put together from a stream.
    static let members = 256
    /// Values of one answer that are put together from a stream. A value that comes whole counts as one.
    static let nodes = 16 << 10
    /// The depth to which objects and arrays that come in parts are merged.
    static let depth = 32
    /// Bytes of an output that are left for the structure around the kept texts of a stream.
    static let structure = 1 << 10
    /// Bytes shown of an answer that is not JSON. Its control characters take six bytes each when they are escaped.
    static let foreign = 64 << 10
    /// Bytes of a stream's event that are held back while it may be the usage.
    static let heldEvent = 16 << 10

    /// Bytes of the parts that follow input and output: level, notes and status, with an error's message twice.
    static let ending = 32 << 10

    /// Bytes of spans that are sent together, before compression: Langfuse's cloud takes 5 MB.
    static let batch = 4_500_000

    /// Bytes of a whole span, which goes into one batch. An operator who asks for more text than by default has a trace
    /// store that takes more; JSON within JSON at worst doubles.
    static func span(textBytes: Int) -> Int {
        textBytes <= spanText ? batch - 4096 : 2 * 2 * textBytes + (1 << 20)
    }

    /// The first texts that have room in `small`.
    static func first(of texts: [String]) -> [String] {
        var room = small
        return Array(
            texts.prefix { text in
                room -= text.utf8.count + 32
                return room >= 0
            })
    }

    /// The mark where something was cut off.
    /// - Parameter whole: the number of bytes before the cut; nil if they were not counted.
    static func mark(kept: Int, of whole: Int? = nil) -> String {
        "…[cut by the gateway after \(kept) bytes\(whole.map { " of \($0)" } ?? "")]"
    }
}
