package import Common
package import Telemetry

extension ForwarderMetrics {
    /// All of a forwarder's metrics.
    package static func descriptions(_ settings: Settings) -> [MetricDescription] {
        let times = HistogramBounds.times(upTo: settings.calls.requestTimeout)
        return [
            MetricDescription("gateway_jobs_in_flight", .gauge, help: "Jobs that this forwarder works on."),
            MetricDescription(
                "gateway_queue_wait_seconds", .histogram(times),
                help: "Seconds from a request's arrival at an ingress until a forwarder opened its job."),
            MetricDescription(
                "gateway_calls_total", .counter,
                help: "Jobs that a call was made for, by the last target's provider and model, and by how they ended."),
            MetricDescription(
                "gateway_call_duration_seconds", .histogram(times),
                help: "Seconds from the last call of a job to the end of its answer."),
            MetricDescription(
                "gateway_time_to_first_token_seconds", .histogram(.firstTokens(upTo: settings.calls.requestTimeout)),
                help: "Seconds from the call to the first bytes of a streamed answer's body."),
            MetricDescription(
                "gateway_inter_token_seconds", .histogram(.betweenTokens),
                help:
                    "The mean time between two tokens, recorded once per streamed answer whose tokens the provider counts."
            ),
            MetricDescription(
                "gateway_tokens_total", .counter,
                help:
                    "Tokens of completions as providers count them. They are read for a trace, the request log or a limit on tokens."
            ),
            MetricDescription(
                "gateway_attempts_total", .counter,
                help:
                    "Attempts, which are calls of providers, by the answer's class of status or what went wrong without one."
            ),
            MetricDescription(
                "gateway_retries_total", .counter,
                help: "Calls that were made again to the same target, by the provider that failed."),
            MetricDescription(
                "gateway_fallbacks_total", .counter,
                help: "Calls that were made to another target instead, by the provider that failed."),
            MetricDescription(
                "gateway_call_errors_total", .counter,
                help: "Jobs that ended with an error of the gateway's own, by its code."),
            MetricDescription(
                "gateway_metadata_calls_total", .counter,
                help: "Jobs by the values of the metadata that METRICS_METADATA_KEYS names, and by how they ended."),
        ] + ExportMetrics.descriptions
    }
}
