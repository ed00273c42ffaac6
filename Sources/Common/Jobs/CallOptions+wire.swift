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
