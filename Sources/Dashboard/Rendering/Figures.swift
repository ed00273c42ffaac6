internal import Common

/// Numbers and times as people read them.
enum Figures {
    /// A whole number with its thousands apart: `12,345`.
    static func count(_ value: Double) -> String {
        let digits = Array(String(Int64(value.rounded())).utf8)
        var out: [UInt8] = []
        for (place, digit) in digits.enumerated() {
            let rest = digits.count - place
            if place > 0, rest % 3 == 0, digits[place - 1] != UInt8(ascii: "-") { out.append(UInt8(ascii: ",")) }
            out.append(digit)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A number in few digits: `950`, `12.3k`, `4.56M`.
    static func compact(_ value: Double) -> String {
        let steps: [(Double, String)] = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
        // What would round to 1000 of a unit is 1 of the next.
        for (step, unit) in steps where value >= step * 0.9995 { return significant(value / step) + unit }
        return value == value.rounded() ? count(value) : significant(value)
    }

    /// A length of time in milliseconds: `0.4 ms`, `850 ms`, `1.24 s`, `2 min 5 s`.
    static func duration(_ milliseconds: Double) -> String {
        switch milliseconds {
        case ..<999.5: return significant(milliseconds) + " ms"
        case ..<59_995: return significant(milliseconds / 1000) + " s"
        case ..<3_600_000:
            let seconds = Int64((milliseconds / 1000).rounded())
            return "\(seconds / 60) min \(seconds % 60) s"
        case ..<172_800_000:
            let minutes = Int64((milliseconds / 60_000).rounded())
            return "\(minutes / 60) h \(minutes % 60) min"
        default: return "\(Int64((milliseconds / 86_400_000).rounded())) days"
        }
    }

    /// US dollars: `$12.30`, `$0.00042`.
    static func dollars(_ value: Double) -> String {
        if value == 0 { return "$0" }
        if value >= 1000 { return "$" + compact(value) }
        return value >= 1 ? "$" + decimal(value, places: 2) : "$" + significant(value)
    }

    static func bytes(_ value: Double) -> String {
        let steps: [(Double, String)] = [(1_073_741_824, " GiB"), (1_048_576, " MiB"), (1024, " KiB")]
        for (step, unit) in steps where value >= step { return significant(value / step) + unit }
        return count(value) + " B"
    }

    /// A part of a whole: `0%`, `<0.1%`, `2.5%`, `100%`.
    static func percent(_ part: Double, of whole: Double) -> String {
        guard whole > 0, part > 0 else { return "0%" }
        let percent = 100 * part / whole
        return percent < 0.1 ? "<0.1%" : significant(percent) + "%"
    }

    /// Three digits that say something, without zeros behind.
    static func significant(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        var (size, places) = (abs(value), 2)
        while size >= 10, places > 0 { (size, places) = (size / 10, places - 1) }
        while size < 1, places < 8 { (size, places) = (size * 10, places + 1) }
        var text = decimal(value, places: places)
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        while text.hasSuffix("0") { text = String(text.utf8.dropLast()) ?? text }
        return text.hasSuffix(".") ? String(text.utf8.dropLast()) ?? text : text
    }

    /// With so many digits behind the point.
    static func decimal(_ value: Double, places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
        guard places > 0 else { return "\(sign)\(whole)" }
        let digits = String(rest)
        return "\(sign)\(whole)." + String(repeating: "0", count: places - digits.utf8.count) + digits
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The parts of a time of ISO 8601: `Nov 22`, `19:26:39`.
    static func parts(ofTime iso: String) -> (day: String, clock: String)? {
        let bytes = Array(iso.utf8)
        guard bytes.count >= 19, let month = Int(String(decoding: bytes[5..<7], as: UTF8.self)),
            (1...12).contains(month), let day = Int(String(decoding: bytes[8..<10], as: UTF8.self))
        else { return nil }
        return ("\(months[month - 1]) \(day)", String(decoding: bytes[11..<19], as: UTF8.self))
    }

    /// `Nov 22 19:26:39`.
    static func time(_ iso: String) -> String { parts(ofTime: iso).map { "\($0.day) \($0.clock)" } ?? iso }

    /// A moment under a chart: the time of day, or the day if the chart is longer than that tells apart.
    static func tick(_ time: Timestamp, range: UInt64) -> String {
        guard let parts = parts(ofTime: time.iso8601) else { return "" }
        let clock = String(parts.clock.prefix(range < 600_000 ? 8 : 5))
        return range > 129_600_000 ? parts.day : clock
    }
}
