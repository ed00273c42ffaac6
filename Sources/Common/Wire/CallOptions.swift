/// What a client asks of the calls that are made for its request, in headers of TrueFoundry's.
package struct CallOptions: Sendable, Equatable {
    /// `x-tfy-retry-config`, for targets of which no rule says how often they are called; nil: it asks for none.
    package var retry: Route.Retry?
    /// `x-tfy-request-timeout`: what each call may take, in milliseconds; nil: what is left of the request's time.
    package var timeout: Int?
    /// `x-tfy-ttft-timeout-ms`: from a stream's call to its first content, in milliseconds; nil: no bound of its own.
    package var firstTokenTimeout: Int?

    package init(retry: Route.Retry? = nil, timeout: Int? = nil, firstTokenTimeout: Int? = nil) {
        self.retry = retry
        self.timeout = timeout
        self.firstTokenTimeout = firstTokenTimeout
    }

    package var isEmpty: Bool { self == CallOptions() }
}

extension CallOptions {
    private enum Tag {
        static let retry: UInt8 = 1
        static let timeout: UInt8 = 2
        static let firstTokenTimeout: UInt8 = 3
    }

    /// The options within a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 96)
        if let retry { writer.field(Tag.retry, retry.wireBytes) }
        if let timeout { writer.field(Tag.timeout, UInt64(clamping: timeout)) }
        if let firstTokenTimeout { writer.field(Tag.firstTokenTimeout, UInt64(clamping: firstTokenTimeout)) }
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init()
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.retry: retry = try Route.Retry(wireBytes: value)
            case Tag.timeout: timeout = Int(clamping: try WireReader.integer(value))
            case Tag.firstTokenTimeout: firstTokenTimeout = Int(clamping: try WireReader.integer(value))
            default: continue
            }
        }
    }
}
