internal import Common
internal import RequestLog

/// The properties as the tables number them.
enum TermField {
    /// The names of metadata keys are terms of this field.
    static let metadataKey: UInt32 = 0
    /// The values of a metadata key have its term's number above this one. Below it are those of `RequestField.Known`.
    private static let firstMetadata: UInt32 = 64

    static func of(_ known: RequestField.Known) -> UInt32 { UInt32(known.rawValue) }

    /// - Parameter key: the number of the key's term.
    static func ofValues(forKey key: UInt32) -> UInt32 { key &+ firstMetadata }

    /// The number of the key's term; nil for a property that every gateway's rows have.
    static func key(of field: UInt32) -> UInt32? { field >= firstMetadata ? field - firstMetadata : nil }
}

/// The terms of a row as bytes: for each four of its field, with the origin of a metadata value in the uppermost bits,
/// and four of its number; little-endian.
struct TermList {
    private static let entryBytes = 8
    private static let originShift: UInt32 = 28
    private static let fieldMask: UInt32 = 1 << originShift - 1

    private(set) var bytes: [UInt8] = []

    mutating func append(field: UInt32, term: UInt32, origin: ResolvedMetadata.Origin? = nil) {
        let tagged = field & Self.fieldMask | UInt32(origin?.rawValue ?? 0) << Self.originShift
        withUnsafeBytes(of: (tagged.littleEndian, term.littleEndian)) { bytes.append(contentsOf: $0) }
    }

    /// All terms, in the order in which they were appended.
    static func forEach(
        in bytes: UnsafeRawBufferPointer, _ body: (_ field: UInt32, _ term: UInt32, _ origin: UInt8) throws -> Void
    ) rethrows {
        var place = 0
        while place + entryBytes <= bytes.count {
            let tagged = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            let term = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
            try body(tagged & fieldMask, term, UInt8(tagged >> originShift))
            place += entryBytes
        }
    }

    /// The numbers of all terms.
    static func forEachTerm(in bytes: [UInt8], _ body: (UInt32) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { bytes in try forEach(in: bytes) { _, term, _ in try body(term) } }
    }

    /// The first term of a property; nil if there is none.
    static func first(of field: UInt32, in bytes: UnsafeRawBufferPointer) -> UInt32? {
        var place = 0
        while place + entryBytes <= bytes.count {
            let tagged = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            if tagged & fieldMask == field {
                return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
            }
            place += entryBytes
        }
        return nil
    }

    /// Whether a term of the property passes.
    static func contains(
        _ field: UInt32, in bytes: UnsafeRawBufferPointer, where passes: (UInt32) throws -> Bool
    ) rethrows -> Bool {
        var place = 0
        while place + entryBytes <= bytes.count {
            let tagged = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            if tagged & fieldMask == field,
                try passes(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)))
            {
                return true
            }
            place += entryBytes
        }
        return false
    }
}
