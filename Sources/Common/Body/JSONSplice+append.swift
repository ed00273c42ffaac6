internal import JSON

extension JSONSplice {
    /// Appends to the array `name` within the object `outer` (`tags` in `metadata`), and makes either where it is
    /// absent or null.
    /// - Parameter elements: JSON values.
    /// - Throws: A 400 that names the member if `outer` is not an object, `name` not an array, or `outer` holds one
    ///   name twice.
    package mutating func append(_ elements: [[UInt8]], to name: String, in outer: String) throws(GatewayError) {
        guard !elements.isEmpty else { return }
        let list = Array(elements.joined(separator: ",".utf8))
        if let nested = try nested(outer) {
            var inner = JSONSplice(nested)
            inner.set(name, to: try nested.appending(list, to: name, path: "\(outer).\(name)"))
            set(outer, to: inner.result())
        } else {
            set(outer, to: "{".utf8 + JSONText.quoted(name) + ":[".utf8 + list + "]}".utf8)
        }
    }

    /// The object that the member holds at present. Nil if the member is absent or null.
    private func nested(_ name: String) throws(GatewayError) -> JSONObject? {
        guard let (bytes, range) = current(name) else { return nil }
        do throws(JSONScanError) {
            return try JSONObject.scan(bytes, range: range, maximumDepth: .max)
        } catch {
            switch error.code {
            case .notAnObject(.null): return nil
            case .notAnObject(let kind): throw .wrongKind(of: name, is: kind, expected: .object)
            default: throw error.gatewayError
            }
        }
    }
}

extension JSONObject {
    /// The array of that name with `list` (JSON values and the commas between them) behind its elements.
    fileprivate func appending(_ list: [UInt8], to name: String, path: String) throws(GatewayError) -> [UInt8] {
        guard let member = member(name), member.kind != .null else { return "[".utf8 + list + "]".utf8 }
        guard let elements = elements(member) else { throw .wrongKind(of: path, is: member.kind, expected: .array) }
        let place = elements.last?.value.upperBound ?? member.value.lowerBound + 1
        return bytes[member.value.lowerBound..<place] + (elements.isEmpty ? [] : [UInt8(ascii: ",")]) + list
            + bytes[place..<member.value.upperBound]
    }
}

extension GatewayError {
    fileprivate static func wrongKind(of name: String, is kind: JSONObject.Kind, expected: JSONObject.Kind) -> Self {
        .invalidRequest(
            code: "invalid_type",
            "`\(name)` in the request body is \(kind.noun). The gateway adds to it: send \(expected.noun), or leave it out.",
            param: name)
    }
}
