internal import Common
internal import JSON

extension JSONObject {
    /// Deeper than any answer of the gateway's own; what clients wrote may be as deep as their bodies.
    private static let deepest = 1000

    /// The object that an answer is.
    /// - Throws: a 502 for what is none.
    static func answer(_ bytes: [UInt8]) throws(GatewayError) -> JSONObject {
        do { return try scan(bytes, maximumDepth: deepest) } catch { throw .unreadableAnswer }
    }

    func text(_ name: String) -> String? { member(name).flatMap { string($0) } }

    func number(_ name: String) -> Double? {
        guard let member = member(name), member.kind == .number else { return nil }
        return Double(String(decoding: bytes[member.value], as: UTF8.self))
    }

    func flag(_ name: String) -> Bool? { member(name).flatMap { bool($0) } }

    func texts(_ name: String) -> [String] { member(name).flatMap { strings($0) } ?? [] }

    /// An object within it.
    func nested(_ name: String) -> JSONObject? {
        guard let member = member(name) else { return nil }
        return (try? object(member)) ?? nil
    }

    /// The objects of an array; what is none is left out.
    func objects(_ name: String) -> [JSONObject] {
        (member(name).flatMap { elements($0) } ?? []).compactMap { element in
            element.kind == .object ? try? JSONObject.scan(bytes, range: element.value, maximumDepth: .max) : nil
        }
    }

    /// The members that are texts, in their order.
    var textMembers: [(name: String, value: String)] {
        members.compactMap { member in
            guard let name = name(of: member), let value = string(member) else { return nil }
            return (name, value)
        }
    }

    /// A value on several lines.
    func indented(_ range: Range<Int>) -> String {
        String(decoding: JSONText.indented(Self.compact(bytes[range])), as: UTF8.self)
    }

    /// The same without whitespace between its tokens.
    static func compact(_ json: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(json.count)
        var (isInString, isEscaped) = (false, false)
        for byte in json {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                continue
            }
            out.append(byte)
        }
        return out
    }
}

extension GatewayError {
    fileprivate static let unreadableAnswer = GatewayError(
        status: 502, type: "server_error", code: "unreadable_answer",
        message: "The answer of another part of the gateway cannot be read. Is it of another version?")
}
