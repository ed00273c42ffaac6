/// The codings of a request's body, as its `Content-Encoding` names them.
package enum RequestCodings {
    /// The reason why a body is not read.
    package enum Refusal: Error, Equatable {
        /// - Parameter name: as the request has it.
        case unsupported(name: String)
        case tooMany(Int)
    }

    /// The codings that requests may have. Brotli is for answers alone.
    package static let taken = [ContentCoding.gzip, .deflate, .zstd].filter(\.isAvailable)

    /// - Parameter values: of the header `Content-Encoding`.
    /// - Returns: the codings in the order in which they were applied.
    package static func named(in values: [String]) throws(Refusal) -> [ContentCoding] {
        var codings: [ContentCoding] = []
        for name in ContentCoding.names(in: values) {
            guard let coding = ContentCoding(name: name), taken.contains(coding) else {
                throw .unsupported(name: name)
            }
            codings.append(coding)
        }
        guard codings.count <= BodyDecoder.mostCodings else { throw .tooMany(codings.count) }
        return codings
    }
}
