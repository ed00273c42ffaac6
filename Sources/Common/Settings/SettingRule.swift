/// The rule for the values of a setting: what they must be, how they are read and how they are written.
struct SettingRule<Value: Sendable>: Sendable {
    /// Completes "must be …"; names the unit.
    let text: String
    /// Nil for a secret.
    var example: String?
    /// Errors do not show a secret's value.
    var isSecret = false
    /// Nil for a value against the rule.
    let parse: @Sendable (String) -> Value?
    /// The shortest text that `parse` reads as the value; for the table of defaults.
    let show: @Sendable (Value) -> String
}

extension SettingRule {
    /// The same rule for a setting that may be without a value.
    var optional: SettingRule<Value?> {
        SettingRule<Value?>(
            text: text, example: example, isSecret: isSecret, parse: { parse($0).map(Optional.some) },
            show: { $0.map(show) ?? "" })
    }
}

extension SettingRule<String> {
    /// Text without control characters, described by `text`.
    static func text(_ text: String, example: String) -> Self {
        Self(text: text, example: example, parse: { $0.isPrintable ? $0 : nil }, show: { $0 })
    }

    static var file: Self { .text("the path of a file", example: "/etc/gateway/keys.yaml") }

    static var certificates: Self { .text("the path of a PEM file", example: "/etc/gateway/redis-ca.pem") }

    static var fileOrFolder: Self { .text("the path of a file or a folder", example: "/etc/gateway/gateway.yaml") }

    static var listenAddress: Self {
        Self(
            text: "a host name or address to listen on", example: "0.0.0.0", parse: { HostName.isValid($0) ? $0 : nil },
            show: { $0 })
    }

    static var name: Self {
        Self(
            text: "a provider or account name, without `/`", example: "openai",
            parse: { ConfigurationName.isValid($0) ? $0 : nil }, show: { $0 })
    }
}

extension SettingRule<Bool> {
    static var bool: Self {
        Self(text: "true or false", example: "true", parse: { Bool(settingText: $0) }, show: { String($0) })
    }
}

extension SettingRule<Int> {
    static func int(_ range: ClosedRange<Int>, example: Int? = nil) -> Self {
        Self(
            text: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            example: String(example ?? range.upperBound),
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }, show: { String($0) })
    }

    static func bytes(_ range: ClosedRange<Int>) -> Self {
        Self(
            text: "bytes, from \(ByteCount.text(range.lowerBound)) to \(ByteCount.text(range.upperBound))",
            example: ByteCount.text(range.upperBound),
            parse: { text in ByteCount.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            show: { ByteCount.text($0) })
    }
}

extension SettingRule<Duration> {
    /// Seconds, perhaps with decimals.
    static func seconds(_ range: ClosedRange<Double>) -> Self {
        Self(
            text:
                "seconds, from \(DecimalText.of(range.lowerBound)) to \(DecimalText.of(range.upperBound)), decimals allowed",
            example: DecimalText.of(range.upperBound),
            parse: { text in DecimalText.parse(text).flatMap { range.contains($0) ? .seconds($0) : nil } },
            show: { DecimalText.of($0 / .seconds(1)) })
    }

    /// Whole seconds, for what Redis expires.
    static func wholeSeconds(_ range: ClosedRange<Int>) -> Self {
        Self(
            text: "seconds, a whole number from \(range.lowerBound) to \(range.upperBound)",
            example: String(range.upperBound),
            parse: { text in Int(text).flatMap { range.contains($0) ? .seconds($0) : nil } },
            show: { DecimalText.of($0 / .seconds(1)) })
    }

    static func milliseconds(_ range: ClosedRange<Int>) -> Self {
        Self(
            text: "milliseconds, a whole number from \(range.lowerBound) to \(range.upperBound)",
            example: String(range.upperBound),
            parse: { text in Int(text).flatMap { range.contains($0) ? .milliseconds($0) : nil } },
            show: { DecimalText.of($0 / .milliseconds(1)) })
    }
}

extension SettingRule where Value: RawRepresentable<String> & CaseIterable {
    /// One of an enumeration's cases, in any case of letters.
    static var choice: Self {
        let names = Value.allCases.map(\.rawValue)
        return Self(
            text: names.joined(separator: " or "), example: names.last ?? "",
            parse: { Value(rawValue: $0.lowercased()) }, show: { $0.rawValue })
    }
}

extension Bool {
    /// Reads the words that people use in environments, in any case of letters.
    fileprivate init?(settingText text: String) {
        switch text.lowercased() {
        case "true", "1", "yes", "on": self = true
        case "false", "0", "no", "off": self = false
        default: return nil
        }
    }
}
