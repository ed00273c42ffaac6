extension JSONText {
    /// The text that the inside of a JSON string stands for. `inside` must have been scanned: its UTF-8 and its escapes are sound.
    /// - Returns: Nil if a `\u` escape is half of a surrogate pair, which stands for no text.
    static func unescaped(_ inside: ArraySlice<UInt8>) -> String? {
        guard var escape = inside.firstIndex(of: UInt8(ascii: "\\")) else { return String(decoding: inside, as: UTF8.self) }
        var text: [UInt8] = []
        text.reserveCapacity(inside.count)
        var rest = inside
        while true {
            text += rest[..<escape]
            rest = rest[(escape + 2)...]
            let letter = inside[escape + 1]
            if letter == UInt8(ascii: "u") {
                guard let scalar = scalar(from: &rest) else { return nil }
                text += UTF8.encode(scalar).map(Array.init) ?? []
            } else {
                text.append(character(of: letter))
            }
            guard let next = rest.firstIndex(of: UInt8(ascii: "\\")) else { break }
            escape = next
        }
        text += rest
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads the digits behind `\u`, and the second half of a pair.
    private static func scalar(from rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        let first = codeUnit(from: &rest)
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard rest.starts(with: "\\u".utf8) else { return nil }
        rest = rest.dropFirst(2)
        let second = codeUnit(from: &rest)
        guard UTF16.isTrailSurrogate(second) else { return nil }
        return Unicode.Scalar(0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF)))
    }

    private static func codeUnit(from rest: inout ArraySlice<UInt8>) -> UInt16 {
        let unit = rest.prefix(4).reduce(0) { $0 << 4 | UInt16($1.hexValue ?? 0) }
        rest = rest.dropFirst(4)
        return unit
    }

    private static func character(of letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }
}

extension UInt8 {
    /// The value of an ASCII hex digit of either case, or nil.
    package var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - 0x37
        default: nil
        }
    }
}
