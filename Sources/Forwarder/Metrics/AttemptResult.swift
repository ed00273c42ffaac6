internal import Common
internal import Telemetry
internal import Upstream

/// The values of the label `result`: words for the end of an attempt.
enum AttemptResult {
    static func status(_ status: Int) -> String { MetricLabel.statusClass(status) }

    /// The rules' name of the failure that an error of the gateway's tells of; nil if they have no word for it.
    static func failure(_ code: String) -> String? {
        if let failure = Route.Failure(word: code) { return failure.word }
        return UpstreamError.Code(rawValue: code).flatMap { code in
            Route.Failure(
                UpstreamError(code, "", requestMayHaveBeenSent: false), hasHead: false, isStream: false)?.word
        }
    }
}
