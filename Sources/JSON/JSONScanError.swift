/// The reason why a text is not a JSON object that the gateway takes, and the place of the fault.
package struct JSONScanError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        /// Nothing, or nothing but whitespace.
        case empty
        /// The text begins with U+FEFF, which RFC 8259 §8.1 forbids to send.
        case byteOrderMark
        case notUTF8
        /// The grammar is broken; the text says what was wanted or what was wrong.
        case malformed(String)
        /// The text is JSON, but of another kind.
        case notAnObject(JSONObject.Kind)
        /// Two members of one object have this name.
        case duplicateKey(String)
        /// A name escapes half of a surrogate pair, so it is not text and cannot be compared.
        case loneSurrogateInKey
        /// The object has more members than this.
        case tooManyMembers(Int)
        /// More objects and arrays are open at once than this.
        case tooDeep(Int)
    }

    package let code: Code
    /// The byte at fault, counted from 0.
    package let offset: Int
    /// The line at fault, counted from 1.
    package let line: Int
    /// The byte at fault within its line, counted from 1.
    package let column: Int

    /// - Parameter text: the text that is scanned, in which lines are counted; it may be a part of other bytes.
    init(_ code: Code, at offset: Int, in text: ArraySlice<UInt8>) {
        let before = text[..<min(offset, text.endIndex)]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.startIndex
        self.code = code
        self.offset = offset
        self.line = before.count { $0 == UInt8(ascii: "\n") } + 1
        self.column = offset - lineStart + 1
    }
}

extension JSONObject.Kind {
    /// The kind with its article, for an error message.
    package var noun: String {
        switch self {
        case .string: "a string"
        case .number: "a number"
        case .object: "an object"
        case .array: "an array"
        case .true, .false: "a boolean"
        case .null: "null"
        }
    }
}
