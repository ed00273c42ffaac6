import Common
import CoreMetrics
import TestSupport
import Testing

@testable import Forwarder
@testable import Queue
@testable import Telemetry

/// However many models and values clients think of, the number of series stays within what the settings say.
struct SeriesBoundTests {
    static let providers = ["openai", "anthropic", "client"]

    static var settings: Settings {
        var settings = Settings(role: .forwarder)
        settings.metrics.metadataKeys = ["environment", "team", "run_id"]
        settings.metrics.metadataValues = 20
        settings.metrics.models = (0..<5).map { "openai/listed-\($0)" }
        settings.metrics.modelValues = 30
        return settings
    }

    /// Series that there may be: of each provider (its attempts' results, retries, fallbacks) and each of its models,
    /// of each key and value, of error codes, and those without labels. A model has three histograms, two counters of
    /// tokens and one of calls for each outcome.
    static func bound(_ settings: Settings, codes: Int) -> Int {
        let model = 3 + 2 + ForwarderMetrics.Outcome.allCases.count
        let models = settings.metrics.modelValues + providers.count
        let values = settings.metrics.metadataKeys.count * (settings.metrics.metadataValues + 2)
        let withoutLabels = 2 + 1 + 1 + 4 + ExportMetrics.Loss.allCases.count
        return models * model + providers.count * (16 + 1 + 2) + values * ForwarderMetrics.Outcome.allCases.count
            + codes + withoutLabels
    }

    @Test func `a hundred thousand models and values`() throws {
        let settings = Self.settings
        let registry = MetricsRegistry()
        let metrics = ForwarderMetrics(registry, settings)
        var random = SeededRandom(seed: 12)
        let codes = ["expired_in_queue", "model_not_found", "timeout"]
        var sum = 0
        for index in 0..<100_000 {
            let provider = metrics.provider(try #require(Self.providers.randomElement(using: &random)))
            let name = "\(provider.name)/\(index)-\(random.next() % 1_000_000)\"\\\n{}"
            // One in a hundred is a rule's own: an operator's rules may change while the process lives.
            let target = metrics.target(
                provider, model: index % 7 == 0 ? "openai/listed-\(index % 5)" : name, isNamedByRule: index % 100 == 0)
            target.countEnd(.succeeded)
            target.duration.recordMilliseconds(index)
            if index % 10 == 0 { metrics.count(error: try #require(codes.randomElement(using: &random))) }
            var job = Job(
                insertionID: InsertionIDGenerator().next(), project: "p", method: "POST", path: "/chat/completions",
                deadline: .past, responseKey: "")
            job.metadata.set("environment", to: "value \(random.next() % 1_000_000)", from: .header)
            job.metadata.set("team", to: "team\(random.next() % 3)", from: .header)
            job.metadata.set("secret", to: "canary-\(index)", from: .header)
            metrics.count(job, .succeeded)
            sum += 1
        }
        let text = RegistryTests.text(registry)
        #expect(registry.seriesCount <= Self.bound(settings, codes: codes.count), "\(registry.seriesCount)")
        #expect(!text.contains("canary"), "a key that is not listed is not shown")
        #expect(text.contains(#"model="openai/listed-0""#), "a listed model is told apart")
        for key in settings.metrics.metadataKeys {
            let samples = text.split(separator: "\n").filter {
                $0.hasPrefix("gateway_metadata_calls_total{key=\"\(key)\"") && $0.contains("outcome=\"succeeded\"")
            }
            #expect(samples.count <= settings.metrics.metadataValues + 2)
            #expect(
                samples.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) == sum, "\(key)")
        }
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(Set(lines.map { $0[..<($0.lastIndex(of: " ") ?? $0.endIndex)] }).count == lines.count, "each once")
    }
}
