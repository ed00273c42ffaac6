import Common
import Forwarder
import HTTPServing
import Telemetry
import Testing
import TraceStore
import Verifier

@testable import Ingress

/// The names of metrics in panels, alerts and documents. A renamed metric fails here for each place that still asks for
/// it.
struct MetricNamesTests {
    static let all: [MetricDescription] =
        ForwarderMetrics.descriptions(Settings(role: .forwarder)) + VerifierMetrics.descriptions
        + TraceStoreMetrics.descriptions + IngressMetrics.descriptions(longest: .seconds(300))
        + PrometheusPage.descriptions + [AcceptGate.failures]

    static func text(_ path: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return String(decoding: try ConfigurationFile(reading: "/\(root)/\(path)").bytes, as: UTF8.self)
    }

    /// The names that a text has of metrics, with what a histogram's samples are called.
    static func names(in text: String) -> Set<String> {
        Set(text.matches(of: /\b(?:gateway|process)_[a-z0-9_]+/).map { String($0.output) })
    }

    static func samples(of metric: MetricDescription) -> [String] {
        guard case .histogram = metric.form else { return [metric.name] }
        return ["_bucket", "_sum", "_count"].map { metric.name + $0 }
    }

    @Test(arguments: [
        "deploy/grafana/dashboard.json", "deploy/prometheus/alerts.yml", "deploy/prometheus/alerts_test.yml",
    ])
    func `what is asked for is there`(path: String) throws {
        let known = Set(Self.all.flatMap(Self.samples))
        let asked = Self.names(in: try Self.text(path))
        #expect(asked.count > 5)
        #expect(asked.subtracting(known) == [])
    }

    @Test func `each alert is explained`() throws {
        let alerts = try Self.text("deploy/prometheus/alerts.yml").matches(of: /alert: (\w+)/).map(\.output.1)
        let documents = try Self.text("docs/operations.md")
        #expect(alerts.count > 5)
        for alert in alerts { #expect(documents.contains("\n#### \(alert)\n"), "\(alert)") }
    }

    @Test func `each metric is listed`() throws {
        let documents = try Self.text("docs/operations.md")
        for metric in Self.all { #expect(documents.contains("| `\(metric.name)` |"), "\(metric.name)") }
    }

    /// What Prometheus asks of names: no second `_total`, base units, a text of help.
    @Test func `names are as Prometheus wants them`() {
        #expect(Set(Self.all.map(\.name)).count == Self.all.count)
        for metric in Self.all {
            #expect(metric.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
            #expect(!metric.help.isEmpty && metric.help.hasSuffix("."))
            #expect(metric.name.hasSuffix("_total") == (metric.form == .counter), "\(metric.name)")
            if case .histogram = metric.form { #expect(metric.name.hasSuffix("_seconds")) }
        }
    }
}
