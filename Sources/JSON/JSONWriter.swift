/// Writes JSON as bytes, one member after the other. It sets the commas; that names are not repeated is for its user to
/// see to.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether the innermost object or array that is open has something in it.
    private var needsComma = false

    package init() {}

    /// Appends the JSON that `body` writes to `out`, whose bytes are not copied.
    package static func append(
        to out: inout [UInt8], _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        var writer = JSONWriter()
        swap(&writer.bytes, &out)
        defer { swap(&writer.bytes, &out) }
        try body(&writer)
    }

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nest("{", "}", body: body)
    }

    package mutating func array<Element>(
        _ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) throws -> Void
    ) rethrows {
        try nest("[", "]") { writer in
            for element in elements { try writer.element { try body(&$0, element) } }
        }
    }

    /// An array whose elements `body` writes with `element`.
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nest("[", "]", body: body)
    }

    /// One element of the array that is open.
    package mutating func element(_ body: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        try body(&self)
        needsComma = true
    }

    /// One member of the object that is open.
    package mutating func member(_ name: String, _ body: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        try body(&self)
        needsComma = true
    }

    package mutating func member(_ name: String, _ text: String?) {
        member(name) { if let text { $0.string(text) } else { $0.raw("null") } }
    }

    package mutating func member(_ name: String, _ value: Bool) { member(name) { $0.raw(value ? "true" : "false") } }

    package mutating func member(_ name: String, _ value: Int) { member(name) { $0.raw(String(value)) } }

    package mutating func member(_ name: String, _ value: Double?) {
        member(name) { if let value { $0.number(value) } else { $0.raw("null") } }
    }

    /// A member whose value is JSON that is written already; `null` for nil.
    package mutating func member(_ name: String, raw json: [UInt8]?) {
        member(name) { if let json { $0.raw(json) } else { $0.raw("null") } }
    }

    /// A member whose value is JSON that is written already; `null` for nil.
    package mutating func member(_ name: String, raw json: ArraySlice<UInt8>?) {
        member(name) { if let json { $0.raw(json) } else { $0.raw("null") } }
    }

    /// A member that is written already.
    /// - Parameter rawName: The name as it is escaped, without its quotes.
    package mutating func member(rawName: ArraySlice<UInt8>, raw json: ArraySlice<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        raw(rawName)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        raw(json)
        needsComma = true
    }

    package mutating func string(_ text: String) { JSONText.append(text, to: &bytes) }

    /// A number. JSON has none for infinity and for what is not a number; these are `null`, as JavaScript writes them.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        raw(Int64(exactly: value).map { String($0) } ?? String(value))
    }

    /// JSON that is written already.
    package mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// JSON that is written already.
    package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    /// JSON that is written already.
    package mutating func raw(_ json: ArraySlice<UInt8>) { bytes.append(contentsOf: json) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func nest(
        _ opening: Character, _ closing: Character, body: (inout JSONWriter) throws -> Void
    ) rethrows {
        bytes.append(opening.asciiValue ?? 0)
        needsComma = false
        try body(&self)
        bytes.append(closing.asciiValue ?? 0)
        needsComma = true
    }
}
