/// The beginnings by which servers send an error in place of content, as a body or as the first event of a stream.
enum ErrorOpening {
    /// Without white space.
    private static let openings: [[UInt8]] = {
        let members = [
            #"{"error":"#, #"{"object":"error""#, #"{"type":"error""#, #"{"detail":"#, #"{"message":"#, #"{"code":"#,
        ]
        return (members + members.map { "data:" + $0 } + ["event:error"]).map { Array($0.utf8) }
    }()
    /// Bytes that are enough to tell.
    private static let most = 64

    /// Whether the beginning of an answer may be that of an error. Blank lines and comments are not: they keep a
    /// connection alive.
    static func mayBegin(_ bytes: [UInt8]) -> Bool {
        let text = bytes.prefix(most).filter { $0 > UInt8(ascii: " ") }
        return !text.isEmpty && openings.contains { text.starts(with: $0) || $0.starts(with: text) }
    }
}
