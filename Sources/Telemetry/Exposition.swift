/// Metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
package struct Exposition: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Writes a metric that has one series without labels.
    package mutating func write(_ metric: MetricDescription, _ value: Int) {
        head(of: metric)
        sample(metric.name, labels: "", value: Int64(value))
    }

    /// Writes what a metric means. Its samples follow.
    package mutating func head(of metric: MetricDescription) {
        bytes += "# HELP \(metric.name) ".utf8
        Self.escape(metric.help, isValue: false, into: &bytes)
        bytes += "\n# TYPE \(metric.name) \(metric.form.name)\n".utf8
    }

    /// - Parameter labels: as they stand between the braces (``labels(_:)``).
    package mutating func sample(_ name: String, labels: String, value: Int64) {
        sample(name, labels: labels, value: String(value))
    }

    package mutating func sample(_ name: String, labels: String, value: Double) {
        sample(name, labels: labels, value: Self.text(value))
    }

    private mutating func sample(_ name: String, labels: String, value: String) {
        bytes += name.utf8
        if !labels.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.utf8
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes += value.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Labels as they stand between the braces, in their order.
    package static func labels(_ labels: [(String, String)]) -> String {
        var text: [UInt8] = []
        for (name, value) in labels {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += "\(name)=\"".utf8
            escape(value, isValue: true, into: &text)
            text.append(UInt8(ascii: "\""))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A number as short as it goes.
    static func text(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value.isNaN { return "NaN" }
        return Int64(exactly: value).map(String.init) ?? String(value)
    }

    private static func escape(_ text: String, isValue: Bool, into bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case UInt8(ascii: "\"") where isValue: bytes += #"\""#.utf8
            default: bytes.append(byte)
            }
        }
    }
}
