/// Addresses and keys.
extension FormScan {
    func emails() -> [Range<Int>] {
        var (found, behind): ([Range<Int>], Int) = ([], 0)
        for at in text.indices where text[at] == UInt8(ascii: "@") && at >= behind {
            var start = at
            while start > behind, Self.isLocalPart(text[start - 1]) { start -= 1 }
            guard start < at, let end = domainEnd(from: at + 1) else { continue }
            found.append(start..<end)
            behind = end
        }
        return found
    }

    /// The end of a domain; nil if none begins at a place. Text behind it without a space, as where no spaces are
    /// written, is none of it.
    private func domainEnd(from start: Int) -> Int? {
        let run = start..<runEnd(from: start, where: Self.isDomain)
        var whole = run.upperBound
        while whole > start, !Self.isAlphanumeric(text[whole - 1]), text[whole - 1] < 0x80 { whole -= 1 }
        if hasTopLevel(start..<whole) { return whole }
        // The last place at which two letters or more stand between a dot and something else.
        var (letters, end): (Int?, Int?) = (nil, nil)
        for place in run {
            if text[place] == UInt8(ascii: ".") {
                letters = place > start ? 0 : nil
            } else if let count = letters, Self.isLetter(text[place]) {
                letters = count + 1
                let goesOn = place + 1 < run.upperBound && Self.isLetter(text[place + 1])
                if count >= 1, !goesOn { end = place + 1 }
            } else {
                letters = nil
            }
        }
        return end
    }

    /// Whether a domain has a dot, and two letters or more behind the last one.
    private func hasTopLevel(_ domain: Range<Int>) -> Bool {
        guard let dot = text[domain].lastIndex(of: UInt8(ascii: ".")), dot > domain.lowerBound else { return false }
        let top = text[dot + 1..<domain.upperBound]
        return top.count >= 2 && top.allSatisfy { !Self.isDigit($0) }
    }

    /// Letters of other scripts are bytes from 0x80 on.
    private static func isLocalPart(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte >= 0x80 || "._%+-".utf8.contains(byte)
    }

    private static func isDomain(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    func url(at start: Int) -> Int? {
        guard beginsWord(at: start) else { return nil }
        let schemes: [StaticString] = ["https://", "http://", "ftp://"]
        guard let scheme = schemes.first(where: { has($0, at: start, ignoringCase: true) }) else { return nil }
        let first = start + scheme.utf8CodeUnitCount
        var end = runEnd(from: first) { $0 > 0x20 && !#""<>`\"#.utf8.contains($0) }
        while end > first, #".,;:!?)]}'"#.utf8.contains(text[end - 1]) { end -= 1 }
        return end > first ? end : nil
    }

    /// Four numbers up to 255 with dots between them.
    func ipv4(at start: Int) -> Int? {
        guard beginsNumber(at: start), beginsWord(at: start) else { return nil }
        var place = start
        for part in 0..<4 {
            if part > 0 {
                guard self[place] == UInt8(ascii: ".") else { return nil }
                place += 1
            }
            var (value, count) = (0, 0)
            while count < 4, Self.isDigit(self[place]) {
                value = value * 10 + Int(self[place] - 0x30)
                count += 1
                place += 1
            }
            guard (1...3).contains(count), value <= 255 else { return nil }
        }
        let goesOn = Self.isWord(self[place]) || (self[place] == UInt8(ascii: ".") && Self.isDigit(self[place + 1]))
        return goesOn ? nil : place
    }

    /// Words of hexadecimal groups with colons between them.
    func ipv6() -> [Range<Int>] {
        var (found, place): ([Range<Int>], Int) = ([], 0)
        while place < text.count {
            guard Self.isAddress(text[place]), !Self.isWord(self[place - 1]) else {
                place += 1
                continue
            }
            var end = runEnd(from: place, where: Self.isAddress)
            let next = end
            // A colon behind an address is the sentence's.
            if self[end - 1] == UInt8(ascii: ":"), self[end - 2] != UInt8(ascii: ":") { end -= 1 }
            if end - place <= 39, !Self.isWord(self[next]), isIPv6(place..<end) { found.append(place..<end) }
            place = next
        }
        return found
    }

    private static func isAddress(_ byte: UInt8) -> Bool { isHex(byte) || byte == UInt8(ascii: ":") }

    /// Whether there are eight groups, or fewer with `::` once. Without a digit it is a name such as `a::b`.
    private func isIPv6(_ range: Range<Int>) -> Bool {
        let groups = text[range].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let filled = groups.count { !$0.isEmpty }
        guard groups.allSatisfy({ $0.count <= 4 }), filled > 0, text[range].contains(where: Self.isDigit) else {
            return false
        }
        let gaps = (range.lowerBound + 1..<range.upperBound).count { place in
            self[place] == UInt8(ascii: ":") && self[place - 1] == UInt8(ascii: ":")
        }
        return gaps == 0 ? filled == 8 && groups.count == 8 : gaps == 1 && filled < 8
    }

    /// `AKIA` or its like, and 16 capitals or digits.
    func awsAccessKey(at start: Int) -> Int? {
        let beginnings: [StaticString] = ["AKIA", "ASIA", "AGPA", "AIDA", "AROA", "AIPA", "ANPA", "ANVA"]
        guard beginsWord(at: start), beginnings.contains(where: { has($0, at: start) }) else { return nil }
        let end = runEnd(from: start) { Self.isUpper($0) || Self.isDigit($0) }
        return end - start == 20 && !Self.isWord(self[end]) ? end : nil
    }

    /// Words of 40 characters of Base64 with letters of both cases and digits.
    func awsSecretKeys() -> [Range<Int>] {
        let isKey = { (byte: UInt8) in Self.isAlphanumeric(byte) || "/+".utf8.contains(byte) }
        var (found, place): ([Range<Int>], Int) = ([], 0)
        while place < text.count {
            let end = runEnd(from: place, where: isKey)
            let word = text[place..<end]
            if word.count == 40, word.contains(where: Self.isUpper), word.contains(where: Self.isLower),
                word.contains(where: Self.isDigit)
            {
                found.append(place..<end)
            }
            place = end + 1
        }
        return found
    }

    func githubToken(at start: Int) -> Int? {
        guard beginsWord(at: start) else { return nil }
        let beginnings: [StaticString] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]
        guard let beginning = beginnings.first(where: { has($0, at: start) }) else { return nil }
        let end = runEnd(from: start, where: Self.isWord)
        return end - start >= beginning.utf8CodeUnitCount + 22 ? end : nil
    }

    func slackToken(at start: Int) -> Int? {
        guard beginsWord(at: start) else { return nil }
        let beginnings: [StaticString] = ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-"]
        guard beginnings.contains(where: { has($0, at: start) }) else { return nil }
        let end = runEnd(from: start) { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        return end - start >= 15 ? end : nil
    }

    /// The values behind names of keys: `api_key = "…"`, `token: …`.
    func namedKeys() -> [Range<Int>] {
        var (found, place): ([Range<Int>], Int) = ([], 0)
        while place < text.count {
            let name = keyName(at: place)
            let start = name.map { valueStart(behind: place + $0) } ?? nil
            guard let start else {
                place += 1
                continue
            }
            let end = runEnd(from: start) { Self.isWord($0) || "-./+=~".utf8.contains($0) }
            if end - start >= Self.shortestKey { found.append(start..<end) }
            place = max(end, place + 1)
        }
        return found
    }

    private static let shortestKey = 12
    private static let keyNames: [StaticString] = [
        "api_key", "api-key", "apikey", "access_key", "access-key", "access_token", "auth_token", "secret_key",
        "secret-key", "client_secret", "secret", "token", "password", "passwd",
    ]

    /// The length of the name that ends at the value's sign and begins at a place; `my_api_key` begins with `api_key`.
    private func keyName(at place: Int) -> Int? {
        guard Self.isLetter(text[place]), !Self.isLetter(self[place - 1]) else { return nil }
        return Self.keyNames.first { has($0, at: place, ignoringCase: true) }.map(\.utf8CodeUnitCount)
    }

    /// The start of the value behind a name: behind a colon or an equals sign, with spaces and quotes around them.
    private func valueStart(behind name: Int) -> Int? {
        // A name, a sign and a value stand close together.
        var (place, hasSign) = (name, false)
        while place < name + 8 {
            switch self[place] {
            case UInt8(ascii: ":"), UInt8(ascii: "="): hasSign = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ">"): break
            default: return hasSign ? place : nil
            }
            place += 1
        }
        return nil
    }
}
