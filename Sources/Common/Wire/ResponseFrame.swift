package import Upstream

/// One piece of an answer on its way from a forwarder to an ingress. A short answer is a single frame with head, body
/// and end.
package struct ResponseFrame: Sendable, Equatable {
    /// The way in which an answer ended.
    package enum End: Sendable, Equatable {
        /// Whole, as the provider gave it.
        case complete
        /// Broken off after its head was sent; the error is told within the stream where its form allows that.
        case brokenOff(GatewayError)
    }

    /// The position of the frame in its answer, from 0. A frame that was written twice is known by it.
    package var sequence: UInt64
    /// The status and headers; in the first frame only.
    package var head: UpstreamHead?
    package var body: [UInt8]
    package var end: End?

    package init(sequence: UInt64, head: UpstreamHead? = nil, body: [UInt8] = [], end: End? = nil) {
        self.sequence = sequence
        self.head = head
        self.body = body
        self.end = end
    }

    /// An answer of the gateway's own that says what went wrong before anything was sent.
    package init(refusal error: GatewayError) {
        let headers = [HeaderField("content-type", "application/json")] + error.retryHeaders
        self.init(
            sequence: 0, head: UpstreamHead(status: error.status, headers: headers), body: error.json, end: .complete)
    }

    /// The end of a job that another forwarder had begun. The sender cannot tell whether a part of the answer was sent,
    /// so it serves both cases: a head and a body for a client that has nothing yet, an end for one that has something.
    package init(lastWord error: GatewayError) {
        self.init(refusal: error)
        sequence = .max
        end = .brokenOff(error)
    }
}
