extension JSONText {
    /// The largest factor by which a text on several lines may be longer than its source. Nothing is added to it, so
    /// that a page of many small values is bounded too.
    package static let mostGrowth = 8

    /// The same JSON on several lines, for people: two spaces a level, and nothing else changed. Deep JSON, whose lines
    /// would be spaces above all, stays as it is.
    /// - Parameter json: one value without whitespace between its tokens.
    package static func indented(_ json: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        let bound = mostGrowth * json.count
        var depth = 0
        var (isInString, isEscaped) = (false, false)
        func line(_ depth: Int) -> [UInt8] {
            [UInt8(ascii: "\n")] + Array(repeating: UInt8(ascii: " "), count: 2 * depth)
        }
        for (place, byte) in json.enumerated() {
            if isInString {
                out.append(byte)
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            guard out.count <= bound else { return json }
            let isEmpty = place + 1 < json.count && [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(json[place + 1])
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                out.append(byte)
                if !isEmpty { out += line(depth) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                let isBehindOpening = place > 0 && [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(json[place - 1])
                if !isBehindOpening { out += line(depth) }
                out.append(byte)
            case UInt8(ascii: ","): out += [byte] + line(depth)
            case UInt8(ascii: ":"): out += [byte, UInt8(ascii: " ")]
            default:
                isInString = byte == UInt8(ascii: "\"")
                out.append(byte)
            }
        }
        return out.count <= bound ? out : json
    }
}
