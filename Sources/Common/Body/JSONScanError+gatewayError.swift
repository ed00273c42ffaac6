internal import JSON

extension JSONScanError {
    /// The error as the client is told it, with status 400.
    package var gatewayError: GatewayError {
        switch code {
        case .empty:
            .invalidRequest(
                code: "empty_body",
                "The request body is empty. Send a JSON object, such as {\"model\": \"…\", \"messages\": […]}.")
        case .byteOrderMark:
            .invalidRequest(
                code: "invalid_json", "The request body begins with a byte order mark. Send the JSON without it.")
        case .notUTF8:
            .invalidRequest(
                code: "invalid_utf8", "The request body is not valid UTF-8 at \(place). Send the JSON encoded as UTF-8."
            )
        case .malformed(let reason):
            .invalidRequest(
                code: "invalid_json",
                "The request body is not valid JSON at \(place): \(reason). Send one JSON object as RFC 8259 defines it."
            )
        case .notAnObject(let kind):
            .invalidRequest(
                code: "json_not_an_object",
                "The request body is JSON, but \(kind.noun). Send an object, such as {\"model\": \"…\", \"messages\": […]}."
            )
        case .duplicateKey(let name):
            .invalidRequest(
                code: "duplicate_key",
                "The request body has a second \"\(name.shortened)\" in one object at \(place); readers differ in which one counts. "
                    + "Send each name once.",
                param: name.shortened)
        case .loneSurrogateInKey:
            .invalidRequest(
                code: "invalid_json",
                "The request body has a name with half of a surrogate pair at \(place). Write both halves (\\ud83d\\ude00) or the character itself."
            )
        case .tooManyMembers(let limit):
            .invalidRequest(
                code: "too_many_members",
                "The request body has an object of more than \(limit) members at \(place). Send fewer.")
        case .tooDeep(let limit):
            .invalidRequest(
                code: "json_too_deep",
                "The request body nests more than \(limit) objects and arrays at \(place). Send a flatter document, or let the operator raise MAX_JSON_DEPTH."
            )
        }
    }

    private var place: String { "byte \(offset) (line \(line), column \(column))" }
}

extension String {
    /// At most 64 characters, so that a message stays readable even if a client sent a long text.
    fileprivate var shortened: String {
        unicodeScalars.count > 64 ? String(String.UnicodeScalarView(unicodeScalars.prefix(64))) + "…" : self
    }
}
