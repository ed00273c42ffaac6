internal import Common

extension SecretFinder {
    /// The secret that begins with the word there.
    mutating func secret(at start: Int, before end: Int) -> Range<Int>? {
        for form in SecretForm.all where starts(with: form.prefix, at: start, before: end) {
            let body = start + form.prefix.count
            switch form.kind {
            case .loose, .strict:
                let stop = runEnd(from: body, before: end, isWord)
                let isStrict = if case .strict = form.kind { true } else { false }
                guard isChance(body..<stop, isStrict: isStrict) else { continue }
                return start..<stop
            case .dotted:
                guard isChance(body..<runEnd(from: body, before: end, isWord), isStrict: true) else { continue }
                return start..<dottedEnd(from: body, before: end)
            case .exact(let count):
                let stop = runEnd(from: body, before: end, isWord)
                guard stop - body == count, has(.digit, body..<stop) || has(.upper, body..<stop) else { continue }
                return start..<stop
            case .webToken:
                let stop = dottedEnd(from: body, before: end)
                guard stop - start >= 30, text[body..<stop].contains(UInt8(ascii: ".")) else { continue }
                return start..<stop
            case .bearer: return token(behind: body, of: start, before: end) { isBearer($0, of: start) }
            case .basic: return token(behind: body, of: start, before: end) { isBasic($0) }
            case .privateKey: return privateKey(at: start, before: end)
            }
        }
        return nil
    }

    enum Sign { case digit, upper, lower }

    func has(_ sign: Sign, _ range: Range<Int>) -> Bool {
        text[range].contains { byte in
            switch sign {
            case .digit: (0x30...0x39).contains(byte)
            case .upper: (0x41...0x5A).contains(byte)
            case .lower: (0x61...0x7A).contains(byte)
            }
        }
    }

    /// Whether the rest of a key looks like chance and not like words: a long part of letters and digits, or capitals
    /// where words have none.
    func isChance(_ range: Range<Int>, isStrict: Bool) -> Bool {
        guard range.count >= 12 else { return false }
        if !isStrict, has(.upper, range) { return true }
        var place = range.lowerBound
        while place < range.upperBound {
            let stop = runEnd(from: place, before: range.upperBound) {
                isWord($0) && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_")
            }
            let part = place..<stop
            if isStrict {
                if part.count >= 16, has(.digit, part) || (has(.upper, part) && has(.lower, part)) { return true }
            } else if part.count >= 16 || (part.count >= 8 && has(.digit, part)) {
                return true
            }
            place = stop + 1
        }
        return false
    }

    /// The token behind a scheme of HTTP's authentication, one space or more away.
    private func token(
        behind place: Int, of start: Int, before end: Int, _ isToken: (Range<Int>) -> Bool
    ) -> Range<Int>? {
        let begin = runEnd(from: place, before: min(end, place + 8)) { $0 == UInt8(ascii: " ") }
        guard begin > place else { return nil }
        var stop = runEnd(from: begin, before: end, Self.isTokenByte)
        while stop > begin, text[stop - 1] == UInt8(ascii: ".") { stop -= 1 }
        return isToken(begin..<stop) ? begin..<stop : nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"),
            UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// A token with digits or capitals; any word of some length where a header's name stands before it, or nothing at
    /// all.
    private func isBearer(_ token: Range<Int>, of start: Int) -> Bool {
        guard token.count >= 8 else { return false }
        if has(.digit, token) || token.count >= 32 { return true }
        if token.count >= 12, has(.upper, token.dropFirst()) { return true }
        let before = text[max(start - 4, 0)..<start].last {
            $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        return before == nil || before == UInt8(ascii: ":")
    }

    /// Base64 of a name and a password with a colon between them.
    private func isBasic(_ token: Range<Int>) -> Bool {
        guard token.count >= 8, token.count <= 1024, token.count % 4 == 0 else { return false }
        guard let plain = Base64.decode(text[token]) else { return false }
        return plain.contains(UInt8(ascii: ":")) && plain.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// A private key in PEM (RFC 7468), to its last line, or as far as it goes where that was cut off.
    private func privateKey(at start: Int, before end: Int) -> Range<Int>? {
        guard let head = labelEnd(from: start, before: end) else { return nil }
        let dashes = Array("-----".utf8)
        var place = head
        while place < min(end, head + Self.longestPEM), !starts(with: dashes, at: place, before: end) { place += 1 }
        if starts(with: Array("-----END ".utf8), at: place, before: end), let last = labelEnd(from: place, before: end)
        {
            return place - head >= Self.shortestPEM ? start..<last : nil
        }
        let body = base64End(from: head, before: place)
        return body - head >= Self.shortestPEM ? start..<body : nil
    }

    /// The end of the first or last line of a private key.
    private func labelEnd(from start: Int, before end: Int) -> Int? {
        let label = Array("PRIVATE KEY-----".utf8)
        return (start..<min(end, start + 64)).first { starts(with: label, at: $0, before: end) }.map {
            $0 + label.count
        }
    }

    /// The end of Base64 in lines. Line ends may be escaped, once or twice; half of an escape is not taken.
    private func base64End(from start: Int, before end: Int) -> Int {
        var (place, last) = (start, start)
        while place < end {
            if Self.isTokenByte(text[place]) {
                place += 1
                last = place
            } else if text[place] < 0x20 {
                place += 1
            } else {
                let letter = runEnd(from: place, before: min(end, place + 2)) { $0 == UInt8(ascii: "\\") }
                guard letter > place, letter < end, Self.isLineEnd(text[letter]) else { break }
                place = letter + 1
            }
        }
        return last
    }

    private static let longestPEM = 64 << 10
    private static let shortestPEM = 48

    /// The password of a URL (`scheme://user:password@host`), or a user that is a key.
    func userInfo(at start: Int, before end: Int) -> Range<Int>? {
        var colon: Int?
        var at: Int?
        for place in start..<min(end, start + 512) {
            let byte = text[place]
            if byte == UInt8(ascii: "@") { at = place }
            if byte == UInt8(ascii: ":"), colon == nil { colon = place }
            if byte <= 0x20 || Self.ends(authority: byte) { break }
        }
        guard let at else { return nil }
        guard let colon, colon < at else {
            return at - start >= 20 && isChance(start..<at, isStrict: true) ? start..<at : nil
        }
        let password = colon + 1..<at
        guard !password.isEmpty, !Self.opensPlaceholder(text[password.lowerBound]) else { return nil }
        return password
    }

    private static func ends(authority byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "\\"),
            UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: ","), UInt8(ascii: ")"):
            true
        default: false
        }
    }

    /// `$PASSWORD`, `{password}`, `<password>`, `[password]`, `***`, `%s`.
    private static func opensPlaceholder(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "$"), UInt8(ascii: "{"), UInt8(ascii: "<"), UInt8(ascii: "["), UInt8(ascii: "*"),
            UInt8(ascii: "%"):
            true
        default: false
        }
    }

    /// The value of a parameter with a secret's name, in a URL's query or in a connection string.
    func parameter(at value: Int, after start: Int, before end: Int) -> Range<Int>? {
        var name = value - 1
        while name > start, value - name <= 48, isWord(text[name - 1]) { name -= 1 }
        // What begins with dashes is a key of several lines, which is known by its form.
        guard name < value - 1, name > start, Self.separates(text[name - 1]), value < end,
            text[value] != UInt8(ascii: "-")
        else { return nil }
        guard SecretName.isSecretParameter(UnsafeBufferPointer(rebasing: text[name..<value - 1])) else { return nil }
        let stop = runEnd(from: value, before: end) {
            Self.isTokenByte($0) || $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "!") || $0 == UInt8(ascii: "*")
        }
        return stop - value >= 4 ? value..<stop : nil
    }

    private static func separates(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "?") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";")
    }
}
