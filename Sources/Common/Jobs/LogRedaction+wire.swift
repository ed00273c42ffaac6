extension LogRedaction {
    private enum Tag {
        static let preset: UInt8 = 1
        static let pattern: UInt8 = 2
        static let replacement: UInt8 = 3
    }

    /// The redaction within a job.
    var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 64 + 64 * patterns.count)
        for preset in presets { writer.field(Tag.preset, preset.text) }
        for pattern in patterns {
            writer.field(Tag.pattern, pattern.text.text)
            writer.field(Tag.replacement, pattern.replacement.text)
        }
        return writer.bytes
    }

    /// Reads what `wireBytes` wrote.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(Array(wireBytes))
        self.init()
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.preset: presets.append(UTF8Text(try WireReader.string(value)))
            case Tag.pattern: patterns.append(Pattern(try WireReader.string(value), replacement: ""))
            case Tag.replacement where !patterns.isEmpty:
                patterns[patterns.count - 1].replacement = UTF8Text(try WireReader.string(value))
            default: continue
            }
        }
    }
}
