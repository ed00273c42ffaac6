/// Why a text is not a JSON object that the gateway takes, and where.
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
        /// A name escapes half of a surrogate pair, so it is no text and cannot be compared.
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

extension JSONScanError {
    /// The error as the client is told it, with status 400.
    package var gatewayError: GatewayError {
        switch code {
        case .empty:
            .invalidRequest(code: "empty_body", "The request body is empty. Send a JSON object, such as {\"model\": \"…\", \"messages\": […]}.")
        case .byteOrderMark:
            .invalidRequest(code: "invalid_json", "The request body begins with a byte order mark. Send the JSON without it.")
        case .notUTF8:
            .invalidRequest(code: "invalid_utf8", "The request body is not valid UTF-8 at \(place). Send the JSON encoded as UTF-8.")
        case .malformed(let reason):
            .invalidRequest(
                code: "invalid_json", "The request body is not valid JSON at \(place): \(reason). Send one JSON object as RFC 8259 defines it.")
        case .notAnObject(let kind):
            .invalidRequest(
                code: "json_not_an_object",
                "The request body is JSON, but \(kind.noun). Send an object, such as {\"model\": \"…\", \"messages\": […]}.")
        case .duplicateKey(let name):
            .invalidRequest(
                code: "duplicate_key",
                "The request body has a second \"\(name.shortened)\" in one object at \(place); readers differ in which one counts. "
                    + "Send each name once.",
                param: name.shortened)
        case .loneSurrogateInKey:
            .invalidRequest(
                code: "invalid_json",
                "The request body has a name with half of a surrogate pair at \(place). Write both halves (\\ud83d\\ude00) or the character itself.")
        case .tooManyMembers(let limit):
            .invalidRequest(code: "too_many_members", "The request body has an object of more than \(limit) members at \(place). Send fewer.")
        case .tooDeep(let limit):
            .invalidRequest(
                code: "json_too_deep",
                "The request body nests more than \(limit) objects and arrays at \(place). Send a flatter document, or let the operator raise MAX_JSON_DEPTH."
            )
        }
    }

    private var place: String { "byte \(offset) (line \(line), column \(column))" }
}

extension JSONObject.Kind {
    /// The kind with its article, for an error message.
    var noun: String {
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

extension String {
    /// At most 64 characters, so that a message stays readable whatever a client sent.
    fileprivate var shortened: String { unicodeScalars.count > 64 ? String(String.UnicodeScalarView(unicodeScalars.prefix(64))) + "…" : self }
}
