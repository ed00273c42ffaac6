extension Route {
    fileprivate enum Tag {
        static let model: UInt8 = 1
        static let rule: UInt8 = 2
        static let failure: UInt8 = 3
        static let fallback: UInt8 = 4
        static let fallbackFailure: UInt8 = 5
        static let retry: UInt8 = 6
        static let member: UInt8 = 7
        static let header: UInt8 = 8
        static let removedHeader: UInt8 = 9
    }

    /// The route within a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64 * steps.count)
        for step in steps {
            writer.field(Tag.model, step.model)
            writer.field(Tag.rule, step.rule)
            for failure in step.failures { writer.field(Tag.failure, failure.word) }
            if let retry = step.retry { writer.field(Tag.retry, retry.wireBytes) }
            writer.field(Tag.member, step.changes.members.map { HeaderField($0.name, $0.json) })
            writer.field(Tag.header, step.changes.headers)
            for name in step.changes.removedHeaders { writer.field(Tag.removedHeader, name) }
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
            case Tag.fallback: fallback = Int(clamping: try WireReader.integer(value))
            case Tag.fallbackFailure:
                if let failure = Failure(word: try WireReader.string(value)) { fallbackFailures.insert(failure) }
            case _ where !steps.isEmpty: try steps[steps.count - 1].read(tag, value)
            default: continue
            }
        }
        guard fallback <= steps.count else { throw .badField }
    }
}

extension Route.Step {
    /// Reads a field of its own.
    fileprivate mutating func read(_ tag: UInt8, _ value: ArraySlice<UInt8>) throws(WireError) {
        switch tag {
        case Route.Tag.rule: rule = try WireReader.string(value)
        case Route.Tag.failure:
            if let failure = Route.Failure(word: try WireReader.string(value)) { failures.insert(failure) }
        case Route.Tag.retry: retry = try Route.Retry(wireBytes: value)
        case Route.Tag.member:
            let field = try WireReader.header(value)
            changes.members.append(.init(field.name, json: field.value))
        case Route.Tag.header: changes.headers.append(try WireReader.header(value))
        case Route.Tag.removedHeader: changes.removedHeaders.append(try WireReader.string(value))
        default: return
        }
    }
}
