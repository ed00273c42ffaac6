import Testing

@testable import Dashboard

/// The style's colours, in both looks: text is told from what is behind it (WCAG 2.2, success criterion 1.4.3: 4.5 to
/// 1; 1.4.11 for what is drawn: 3 to 1).
struct ContrastTests {
    /// The colours of a look by their names.
    private static func colours(isDark: Bool) throws -> [(name: String, value: Int)] {
        let style = String(decoding: try #require(Assets().response("dashboard.css", query: nil)).body, as: UTF8.self)
        let looks = style.split(separator: "prefers-color-scheme: dark")
        let look = try #require(isDark ? looks.dropFirst().first : looks.first)
        return look.matches(of: /--([a-z0-9-]+): #([0-9a-f]{6})/).compactMap { match in
            Int(match.output.2, radix: 16).map { (String(match.output.1), $0) }
        }
    }

    private static func luminance(_ colour: Int) -> Double {
        func part(_ shift: Int) -> Double {
            let share = Double(colour >> shift & 0xFF) / 255
            guard share > 0.04045 else { return share / 12.92 }
            let base = (share + 0.055) / 1.055
            // base to the power of 2.4: its square, and the fifth root of its square.
            var root = 1.0
            for _ in 0..<60 {
                root -= (root * root * root * root * root - base * base) / (5 * root * root * root * root)
            }
            return base * base * root
        }
        return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    private static func contrast(_ left: Int, _ right: Int) -> Double {
        let (light, dark) = (max(luminance(left), luminance(right)), min(luminance(left), luminance(right)))
        return (light + 0.05) / (dark + 0.05)
    }

    @Test func `contrasts are reckoned as the standard does`() {
        #expect(abs(Self.contrast(0x000000, 0xFFFFFF) - 21) < 0.01)
        #expect(abs(Self.contrast(0x777777, 0xFFFFFF) - 4.48) < 0.01)
    }

    @Test(arguments: [false, true]) func `text can be read`(isDark: Bool) throws {
        let colours = try Self.colours(isDark: isDark)
        func colour(_ name: String) throws -> Int { try #require(colours.first { $0.name == name }).value }
        let pairs = [
            ("text", ["back", "panel", "soft", "side", "quiet-back"]), ("muted", ["back", "panel", "soft", "side"]),
            ("link", ["back", "panel", "soft"]), ("good", ["good-back"]), ("bad", ["bad-back", "panel"]),
            ("warn", ["warn-back"]),
        ]
        for (text, backs) in pairs {
            for back in backs {
                let found = Self.contrast(try colour(text), try colour(back))
                #expect(found >= 4.5, "\(text) on \(back): \(found)")
            }
        }
        for drawn in (1...8).map({ "c\($0)" }) + ["focus"] {
            let found = Self.contrast(try colour(drawn), try colour("panel"))
            #expect(found >= 3, "\(drawn) on panel: \(found)")
        }
    }
}
