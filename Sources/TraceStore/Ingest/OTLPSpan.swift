/// The parts of an OTLP span that the store reads, with its resource and its scope.
struct OTLPSpan: Sendable, Equatable {
    /// 32 hex digits, as they were given.
    var traceID = ""
    /// 16 hex digits, as they were given.
    var spanID = ""
    var parentID: String?
    var name = ""
    /// Nanoseconds since 1970.
    var start: UInt64 = 0
    var end: UInt64 = 0
    var attributes = OTLPAttributes()
    /// Status code 2 (`STATUS_CODE_ERROR`).
    var isError = false
    var statusMessage: String?
    var resource = OTLPAttributes()
    var scope = OTLPScope()
    /// The fault of a part that could not be read; nil: all parts could.
    var defect: String?
}

/// The maker of the spans: OTLP's `InstrumentationScope`.
struct OTLPScope: Sendable, Equatable {
    var name = ""
    var version = ""
    var attributes = OTLPAttributes()
}

extension OTLPSpan {
    /// The fault of the span; nil if it has none.
    var complaint: String? {
        if let defect { return defect }
        if !Self.isID(traceID, digits: 32) { return "traceId must be 32 hex digits, not all zero" }
        if !Self.isID(spanID, digits: 16) { return "spanId must be 16 hex digits, not all zero" }
        if let parentID, !Self.isID(parentID, digits: 16) {
            return "parentSpanId must be 16 hex digits, not all zero, or absent"
        }
        return nil
    }

    private static func isID(_ text: String, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { $0.isHexDigit }
            && text.utf8.contains { $0 != UInt8(ascii: "0") }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self | 0x20) }
}
