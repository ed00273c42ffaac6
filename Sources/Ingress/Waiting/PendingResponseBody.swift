internal import Common

/// Turns the bytes of an answer's frames into those that the client is sent. Pure.
struct PendingResponseBody {
    private let isEventStream: Bool
    private var numbering: EventNumbering?
    private var events = WholeEvents()

    /// - Parameter numbering: numbers the events of an answer that is a stream of them.
    init(isEventStream: Bool, numbering: EventNumbering? = nil) {
        self.isEventStream = isEventStream
        self.numbering = numbering
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        numbering?.take(bytes) ?? (isEventStream ? events.take(bytes) : bytes)
    }

    /// The bytes that are left to send when the answer ends.
    /// - Throws: the error that ended it, where a body has no place for one: the only honest end is a broken
    ///   connection.
    mutating func rest(before end: ResponseFrame.End) throws(GatewayError) -> [UInt8] {
        switch end {
        case .complete: return numbering?.rest() ?? events.rest()
        // The beginning of an event that never ends is left out.
        case .brokenOff(let error):
            guard isEventStream else { throw error }
            return (events.isInsideLine ? Array("\n\n".utf8) : []) + error.serverSentEvent
        }
    }
}
