extension SpanAttempt {
    private enum Tag {
        static let number: UInt8 = 1
        static let model: UInt8 = 2
        static let failure: UInt8 = 3
        static let began: UInt8 = 4
        static let ended: UInt8 = 5
    }

    /// The attempt within a ``SpanRecord``.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64 + model.utf8.count)
        writer.field(Tag.number, UInt64(clamping: number))
        writer.field(Tag.model, model)
        writer.field(Tag.failure, failure)
        writer.field(Tag.began, began.milliseconds)
        writer.field(Tag.ended, ended.milliseconds)
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init(number: 0, model: "", failure: nil, began: .epoch, ended: .epoch)
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.number: number = Int(clamping: try WireReader.integer(value))
            case Tag.model: model = try WireReader.string(value)
            case Tag.failure: failure = try WireReader.string(value)
            case Tag.began: began = try Timestamp(milliseconds: WireReader.integer(value))
            case Tag.ended: ended = try Timestamp(milliseconds: WireReader.integer(value))
            default: continue
            }
        }
    }
}
