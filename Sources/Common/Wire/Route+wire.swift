extension Route {
    private enum Tag {
        static let model: UInt8 = 1
        static let rule: UInt8 = 2
        static let failure: UInt8 = 3
        static let fallback: UInt8 = 4
        static let fallbackFailure: UInt8 = 5
    }

    /// The route within a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64 * steps.count)
        for step in steps {
            writer.field(Tag.model, step.model)
            writer.field(Tag.rule, step.rule)
            for failure in step.failures { writer.field(Tag.failure, failure.word) }
        }
        writer.field(Tag.fallback, UInt64(clamping: fallback))
        for failure in fallbackFailures { writer.field(Tag.fallbackFailure, failure.word) }
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote. A failure that only a later version knows is left out.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init()
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.model: steps.append(Step(try WireReader.string(value)))
            case Tag.rule where !steps.isEmpty: steps[steps.count - 1].rule = try WireReader.string(value)
            case Tag.failure where !steps.isEmpty:
                if let failure = Failure(word: try WireReader.string(value)) {
                    steps[steps.count - 1].failures.insert(failure)
                }
            case Tag.fallback: fallback = Int(clamping: try WireReader.integer(value))
            case Tag.fallbackFailure:
                if let failure = Failure(word: try WireReader.string(value)) { fallbackFailures.insert(failure) }
            default: continue
            }
        }
        guard fallback <= steps.count else { throw .badField }
    }
}
