extension ResolvedMetadata.Entry {
    /// The entry within a job: the origin's number, the key, a zero byte, which no key holds, and the value.
    var wireBytes: [UInt8] { [origin.rawValue] + Array(key.utf8) + [0] + Array(value.utf8) }

    /// Reads what `wireBytes` wrote. An origin that only a later version knows counts as the client's claim.
    init(wireBytes: ArraySlice<UInt8>) throws(WireError) {
        guard let first = wireBytes.first else { throw .badField }
        let field = try WireReader.header(wireBytes.dropFirst())
        self.init(field.name, field.value, from: ResolvedMetadata.Origin(rawValue: first) ?? .header)
    }
}

extension ResolvedMetadata {
    /// Adds an entry that was read.
    mutating func add(_ entry: Entry) { set(entry.key, to: entry.value, from: entry.origin) }
}
