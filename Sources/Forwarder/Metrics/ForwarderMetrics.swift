package import Common
internal import CoreMetrics
package import Telemetry

/// The counters and measurements of a forwarder. Handles are made once for each set of labels. Where it is necessary,
/// they are looked up by the name of a model or a value.
package final class ForwarderMetrics: Sendable {
    /// The end of a job.
    enum Outcome: Int, CaseIterable {
        case succeeded, failed, cancelled, deadLettered, released

        var name: String { self == .deadLettered ? "dead_lettered" : String(describing: self) }
    }

    /// Error codes and providers are the operator's and the gateway's own; this bound holds if a custom build is not so
    /// careful.
    private static let mostNames = 200

    let jobsInFlight: Meter
    let queueWait: Timer
    let exports: ExportMetrics
    private let errors: BoundedHandles<Counter>
    private let providers: BoundedHandles<ProviderMetrics>
    private let models: BoundedHandles<KnownModel>
    /// Models that the operator lists (`METRICS_MODELS`).
    private let listed: Set<UTF8Text>
    private let metadata: [MetadataMetrics]

    /// - Parameters:
    ///   - registry: gets all series.
    ///   - settings: the bounds.
    package init(_ registry: MetricsRegistry, _ settings: Settings) {
        registry.describe(Self.descriptions(settings))
        jobsInFlight = Meter(label: "gateway_jobs_in_flight", factory: registry)
        queueWait = Timer(label: "gateway_queue_wait_seconds", factory: registry)
        exports = ExportMetrics(registry)
        errors = BoundedHandles(limit: Self.mostNames) {
            Counter(label: "gateway_call_errors_total", dimensions: [("code", $0)], factory: registry)
        }
        // A series from the start: the alert on dead letters sees a process's first one as an increase.
        _ = errors["dead_lettered"]
        let providers = BoundedHandles(limit: Self.mostNames) { ProviderMetrics($0, registry) }
        self.providers = providers
        models = BoundedHandles(limit: settings.metrics.modelValues) { KnownModel($0, registry) }
        listed = Set(settings.metrics.models.map { UTF8Text($0) })
        metadata = settings.metrics.metadataKeys.map {
            MetadataMetrics($0, values: settings.metrics.metadataValues, registry)
        }
    }

    func provider(_ name: String) -> ProviderMetrics { providers[name] }

    /// The metrics of a target: a model that the operator has named by itself, all others of a provider together.
    /// - Parameters:
    ///   - model: `provider/model`.
    ///   - isNamedByRule: whether one of the operator's rules names it.
    func target(_ provider: ProviderMetrics, model: String, isNamedByRule: Bool) -> TargetMetrics {
        guard isNamedByRule || !listed.isEmpty && listed.contains(UTF8Text(model)) else { return provider.others }
        return models[model].metrics(of: provider)
    }

    func count(error code: String) { errors[code].increment() }

    /// Counts a job by the values of its metadata.
    func count(_ job: Job, _ outcome: Outcome) {
        for key in metadata { key.count(job, outcome) }
    }
}

/// The metrics of one provider.
final class ProviderMetrics: Sendable {
    let name: String
    let retries: Counter
    let fallbacks: Counter
    /// The metrics of models that have no series of their own.
    let others: TargetMetrics
    /// Ends of attempts: the classes of status, and failures without one.
    private let attempts: BoundedHandles<Counter>

    init(_ name: String, _ registry: MetricsRegistry) {
        self.name = name
        let labels = [("provider", name)]
        retries = Counter(label: "gateway_retries_total", dimensions: labels, factory: registry)
        fallbacks = Counter(label: "gateway_fallbacks_total", dimensions: labels, factory: registry)
        others = TargetMetrics(provider: name, model: MetricLabel.other, registry)
        // Five classes, the rules' words for what has no status, and `broken_off`.
        attempts = BoundedHandles(limit: 16) {
            Counter(label: "gateway_attempts_total", dimensions: labels + [("result", $0)], factory: registry)
        }
    }

    func countAttempt(_ result: String) { attempts[result].increment() }
}

/// A model with series of its own, at the provider that it was first called at.
private final class KnownModel: Sendable {
    private let name: String
    private let registry: MetricsRegistry
    private let made: BoundedHandles<TargetMetrics>

    init(_ name: String, _ registry: MetricsRegistry) {
        self.name = name
        self.registry = registry
        // One name may lead to two providers after a change of the secrets, never to many.
        made = BoundedHandles(limit: 2) { TargetMetrics(provider: $0, model: name, registry) }
    }

    func metrics(of provider: ProviderMetrics) -> TargetMetrics { made[provider.name] }
}

/// The metrics of one model, or of a provider's other models.
final class TargetMetrics: Sendable {
    let duration: Timer
    let firstToken: Timer
    let betweenTokens: Timer
    let inputTokens: Counter
    let outputTokens: Counter
    private let ends: [Counter]

    init(provider: String, model: String, _ registry: MetricsRegistry) {
        let labels = [("provider", provider), ("model", model)]
        duration = Timer(label: "gateway_call_duration_seconds", dimensions: labels, factory: registry)
        firstToken = Timer(label: "gateway_time_to_first_token_seconds", dimensions: labels, factory: registry)
        betweenTokens = Timer(label: "gateway_inter_token_seconds", dimensions: labels, factory: registry)
        inputTokens = Counter(
            label: "gateway_tokens_total", dimensions: labels + [("direction", "input")], factory: registry)
        outputTokens = Counter(
            label: "gateway_tokens_total", dimensions: labels + [("direction", "output")], factory: registry)
        ends = ForwarderMetrics.Outcome.allCases.map {
            Counter(label: "gateway_calls_total", dimensions: labels + [("outcome", $0.name)], factory: registry)
        }
    }

    func countEnd(_ outcome: ForwarderMetrics.Outcome) { ends[outcome.rawValue].increment() }
}

/// Counts jobs by the values of one key of their metadata.
private final class MetadataMetrics: Sendable {
    private let key: String
    private let values: BoundedHandles<[Counter]>

    init(_ key: String, values limit: Int, _ registry: MetricsRegistry) {
        self.key = key
        // One more for the jobs without the key.
        values = BoundedHandles(limit: limit + 1) { value in
            ForwarderMetrics.Outcome.allCases.map {
                Counter(
                    label: "gateway_metadata_calls_total",
                    dimensions: [("key", key), ("value", value), ("outcome", $0.name)], factory: registry)
            }
        }
        _ = values[MetricLabel.none]
    }

    func count(_ job: Job, _ outcome: ForwarderMetrics.Outcome) {
        let value = job.metadata[key]?.value ?? job.rollout?.id(named: key) ?? MetricLabel.none
        values[value][outcome.rawValue].increment()
    }
}
