extension Route.Retry {
    private enum Tag {
        static let attempts: UInt8 = 1
        static let delay: UInt8 = 2
        static let failure: UInt8 = 3
    }

    /// The bound within a route or a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64)
        writer.field(Tag.attempts, UInt64(clamping: attempts))
        writer.field(Tag.delay, UInt64(clamping: delay))
        for failure in failures { writer.field(Tag.failure, failure.word) }
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote. A failure that only a later version knows is left out.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init(attempts: 0, delay: 0, failures: [])
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.attempts: attempts = Int(clamping: try WireReader.integer(value))
            case Tag.delay: delay = Int(clamping: try WireReader.integer(value))
            case Tag.failure:
                if let failure = Route.Failure(word: try WireReader.string(value)) { failures.insert(failure) }
            default: continue
            }
        }
    }
}
