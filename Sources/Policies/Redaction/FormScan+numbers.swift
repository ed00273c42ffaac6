/// Numbers of people: cards, accounts, telephones.
extension FormScan {
    static func beginsPhone(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "(") || byte == UInt8(ascii: "+")
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        [UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte)
    }

    /// A card's number, perhaps in groups: of the network's digits and length, and right by Luhn's checksum.
    func card(at start: Int, of preset: RedactionPreset) -> Int? {
        guard beginsNumber(at: start) else { return nil }
        var (digits, place, end): ([UInt8], Int, Int?) = ([], start, nil)
        while digits.count < Self.longestCard {
            if Self.isDigit(self[place]) {
                digits.append(self[place] - 0x30)
                place += 1
                if !Self.isDigit(self[place]), CardNetwork.isCard(digits, of: preset) { end = place }
            } else if self[place] == UInt8(ascii: " ") || self[place] == UInt8(ascii: "-"),
                Self.isDigit(self[place + 1])
            {
                place += 1
            } else {
                break
            }
        }
        return end
    }

    private static let longestCard = 19

    /// `123-45-6789`, with dashes or spaces.
    func socialSecurityNumber(at start: Int) -> Int? {
        let separator = self[start + 3]
        guard beginsNumber(at: start), self[start - 1] != UInt8(ascii: "-"),
            separator == UInt8(ascii: "-") || separator == UInt8(ascii: " "), self[start + 6] == separator,
            isIssued(area: start, group: start + 4, serial: start + 7)
        else { return nil }
        let end = start + 11
        let goesOn = Self.isDigit(self[end]) || (self[end] == UInt8(ascii: "-") && Self.isDigit(self[end + 1]))
        return goesOn ? nil : end
    }

    /// `123456789`.
    func undashedNumber(at start: Int) -> Int? {
        guard beginsNumber(at: start), beginsWord(at: start),
            isIssued(area: start, group: start + 3, serial: start + 5), !Self.isWord(self[start + 9])
        else { return nil }
        return start + 9
    }

    /// Whether the three parts are such as are issued: none is all zeros, and no area is 666 or from 900 on.
    private func isIssued(area: Int, group: Int, serial: Int) -> Bool {
        guard let area = number(at: area, digits: 3), let group = number(at: group, digits: 2),
            let serial = number(at: serial, digits: 4)
        else { return false }
        return (1..<900).contains(area) && area != 666 && group > 0 && serial > 0
    }

    private func number(at start: Int, digits: Int) -> Int? {
        var value = 0
        for place in start..<start + digits {
            guard Self.isDigit(self[place]) else { return nil }
            value = value * 10 + Int(self[place] - 0x30)
        }
        return value
    }

    /// `+49 30 123456`: a plus and 8 to 15 digits (E.164), with single separators between them.
    func phone(at start: Int) -> Int? {
        guard !Self.isWord(self[start - 1]) else { return nil }
        var (count, place, end) = (0, start + 1, start)
        while count <= 15 {
            if Self.isDigit(self[place]) {
                count += 1
                place += 1
                end = place
            } else if place > start + 1, isPhoneSeparator(at: place) {
                place += 1
            } else {
                break
            }
        }
        return (8...15).contains(count) ? end : nil
    }

    /// Whether a separator stands at a place, and what follows still belongs to the number.
    private func isPhoneSeparator(at place: Int) -> Bool {
        let (byte, next) = (self[place], self[place + 1])
        let opens = next == UInt8(ascii: "(") || Self.isDigit(next)
        if Self.isSeparator(byte) || byte == UInt8(ascii: "(") { return opens }
        return byte == UInt8(ascii: ")") && (opens || (Self.isSeparator(next) && Self.isDigit(self[place + 2])))
    }

    /// `(415) 555-2671` in the usual ways of writing it, with or without the country's code.
    func usPhone(at start: Int) -> Int? {
        guard beginsWord(at: start), beginsNumber(at: start), self[start - 1] != UInt8(ascii: "+") else { return nil }
        var place = start
        if self[place] == UInt8(ascii: "+") {
            place += 1
            guard self[place] == UInt8(ascii: "1") else { return nil }
        }
        if self[place] == UInt8(ascii: "1") { place = passSeparator(at: place + 1) }
        let hasParentheses = self[place] == UInt8(ascii: "(")
        if hasParentheses { place += 1 }
        guard isExchange(at: place) else { return nil }
        place += 3
        if hasParentheses {
            guard self[place] == UInt8(ascii: ")") else { return nil }
            place += 1
        }
        place = passSeparator(at: place)
        guard isExchange(at: place) else { return nil }
        place = passSeparator(at: place + 3)
        guard number(at: place, digits: 4) != nil, !Self.isWord(self[place + 4]) else { return nil }
        return place + 4
    }

    private func passSeparator(at place: Int) -> Int { Self.isSeparator(self[place]) ? place + 1 : place }

    /// Three digits, of which the first is neither 0 nor 1.
    private func isExchange(at place: Int) -> Bool { number(at: place, digits: 3).map { $0 >= 200 } ?? false }

    /// An account's number (ISO 13616), perhaps in groups of four: right by its checksum.
    func iban(at start: Int) -> Int? {
        guard beginsWord(at: start), Self.isUpper(self[start + 1]), let check = number(at: start + 2, digits: 2) else {
            return nil
        }
        // The country and the check digits count as if they stood at the end.
        var (count, place, end, rest) = (4, start + 4, Int?.none, 0)
        let head = [self[start], self[start + 1]]
        while count < Self.longestAccount {
            let byte = self[place]
            if Self.isDigit(byte) || Self.isUpper(byte) {
                rest = Self.remainder(rest, byte)
                count += 1
                place += 1
                let whole = (head.reduce(rest, Self.remainder) * 100 + check) % 97
                if count >= Self.shortestAccount, whole == 1, !Self.isWord(self[place]) { end = place }
            } else if byte == UInt8(ascii: " "), count.isMultiple(of: 4), Self.isAlphanumeric(self[place + 1]) {
                place += 1
            } else {
                break
            }
        }
        return end
    }

    private static let shortestAccount = 15
    private static let longestAccount = 34

    private static func remainder(_ rest: Int, _ byte: UInt8) -> Int {
        isDigit(byte) ? (rest * 10 + Int(byte - 0x30)) % 97 : (rest * 100 + Int(byte - 0x41) + 10) % 97
    }
}

/// The networks of cards, by the first digits and the length of their numbers.
enum CardNetwork {
    /// Whether digits are a card's number.
    static func isCard(_ digits: [UInt8], of preset: RedactionPreset) -> Bool {
        guard digits.count >= 13, isRight(digits) else { return false }
        let first = digits.prefix(6).reduce(0) { $0 * 10 + Int($1) }
        let (two, three, four, count) = (first / 10_000, first / 1000, first / 100, digits.count)
        let isVisa = two / 10 == 4 && [13, 16, 19].contains(count)
        let isMastercard = ((51...55).contains(two) || (2221...2720).contains(four)) && count == 16
        let isAmex = (two == 34 || two == 37) && count == 15
        let isDiscover = (four == 6011 || two == 65 || (644...649).contains(three)) && (16...19).contains(count)
        switch preset {
        case .visa: return isVisa
        case .mastercard: return isMastercard
        case .amex: return isAmex
        case .discover: return isDiscover
        default:
            let isJCB = (3528...3589).contains(four) && (16...19).contains(count)
            let isDiners = ((300...305).contains(three) || [36, 38, 39].contains(two)) && (14...19).contains(count)
            let isUnionPay = two == 62 && (16...19).contains(count)
            return isVisa || isMastercard || isAmex || isDiscover || isJCB || isDiners || isUnionPay
        }
    }

    /// Luhn's checksum (ISO/IEC 7812-1).
    private static func isRight(_ digits: [UInt8]) -> Bool {
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let value = Int(digit) * (place.isMultiple(of: 2) ? 1 : 2)
            sum += value > 9 ? value - 9 : value
        }
        return sum.isMultiple(of: 10)
    }
}
