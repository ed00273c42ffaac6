package import Upstream

/// One piece of an answer on its way from a worker to an ingress. A short answer is a single frame with head, body
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

extension ResponseFrame {
    private enum Tag {
        static let sequence: UInt8 = 1
        static let status: UInt8 = 2
        static let header: UInt8 = 3
        static let body: UInt8 = 4
        static let complete: UInt8 = 5
        static let brokenOff: UInt8 = 6
    }

    /// The frame as bytes, ready to be sealed.
    package var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: body.count + 256)
        writer.field(Tag.sequence, sequence)
        if let head {
            writer.field(Tag.status, UInt64(head.status))
            writer.field(Tag.header, head.headers)
        }
        if !body.isEmpty { writer.field(Tag.body, body) }
        switch end {
        case .complete: writer.field(Tag.complete, "")
        case .brokenOff(let error):
            // Only what a client is told inside a stream; status and retry advice have no place there.
            writer.field(Tag.brokenOff, error.code)
            writer.field(Tag.brokenOff, error.type)
            writer.field(Tag.brokenOff, error.message)
        case nil: break
        }
        return writer.bytes
    }

    /// Reads a frame from what `wireBytes` wrote.
    package init(wireBytes: [UInt8]) throws(WireError) {
        var reader = WireReader(wireBytes)
        var sequence: UInt64?
        var failure: [String] = []
        self.init(sequence: 0)
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.sequence: sequence = try WireReader.integer(value)
            case Tag.status:
                // RFC 9110 §15: three digits.
                guard let status = Int(exactly: try WireReader.integer(value)), (100...999).contains(status) else {
                    throw .badField
                }
                head = UpstreamHead(status: status)
            case Tag.header: head?.headers.append(try WireReader.header(value))
            case Tag.body: body = Array(value)
            case Tag.complete: end = .complete
            case Tag.brokenOff: failure.append(try WireReader.string(value))
            default: continue
            }
        }
        guard let sequence else { throw .missingField }
        self.sequence = sequence
        if failure.count == 3 {
            end = .brokenOff(
                GatewayError(status: 502, type: failure[1], code: failure[0], message: failure[2], shouldRetry: false))
        } else if !failure.isEmpty {
            throw .badField
        }
    }
}
