package import Common
internal import JSON

/// The form of a retry: in rules as `retry_config`, and by clients in a header.
package enum RetryRule {
    /// The header with which a client asks for retries (TrueFoundry's).
    package static let header = "x-tfy-retry-config"

    static let attempts = 1...10
    /// Of a pause before a retry, in milliseconds.
    static let delays = 0...60_000
    static let usualDelay = 100
    /// The failures that are tried again where nothing else is said (TrueFoundry's default).
    static let usualFailures: Set<Route.Failure> = Set([429, 500, 502, 503].map { Route.Failure.status($0) })

    /// Reads a client's header.
    /// - Parameter most: retries that a client may ask for.
    /// - Throws: 400 that says what is wrong.
    package static func read(_ header: String, upTo most: Int) throws(GatewayError) -> Route.Retry {
        let object: JSONObject
        do throws(JSONScanError) { object = try JSONObject.scan(Array(header.utf8), maximumDepth: 4) } catch {
            throw refusal("it is not a JSON object such as \(example)")
        }
        let known = ["attempts", "delay", "onStatusCodes", "on_status_codes"]
        for member in object.members {
            guard let name = object.name(of: member), known.contains(name) else {
                throw refusal("it has a member that is not known; known are `attempts`, `delay` and `onStatusCodes`")
            }
        }
        guard most > 0 else { throw refusal("this gateway takes no retries from clients; leave the header out") }
        guard let attempts = object.int("attempts"), (0...most).contains(attempts) else {
            throw refusal("`attempts` must be a whole number from 0 to \(most)")
        }
        let delay = object.member("delay") == nil ? usualDelay : object.int("delay")
        guard let delay, delays.contains(delay) else {
            throw refusal("`delay` must be milliseconds from 0 to \(delays.upperBound)")
        }
        return Route.Retry(attempts: attempts, delay: delay, failures: try failures(of: object))
    }

    private static func failures(of object: JSONObject) throws(GatewayError) -> Set<Route.Failure> {
        guard let member = object.member("onStatusCodes") ?? object.member("on_status_codes") else {
            return usualFailures
        }
        let elements = object.elements(member) ?? []
        let found = elements.compactMap { element in
            var text = object.bytes[element.value]
            if element.kind == .string { text = text.dropFirst().dropLast() }
            return Route.Failure(word: String(decoding: text, as: UTF8.self))
        }
        guard member.kind == .array, found.count == elements.count else {
            let words = Route.Failure.words.map { "`\($0.word)`" }.joined(separator: ", ")
            throw refusal("`onStatusCodes` must be a list of statuses from 400 to 599, or of \(words)")
        }
        return Set(found)
    }

    private static let example = #"{"attempts": 2, "delay": 100, "onStatusCodes": [429, 500]}"#

    private static func refusal(_ fault: String) -> GatewayError {
        .invalidRequest(
            code: "invalid_retry_config", "The header `\(header)` cannot be read: \(fault).", param: header)
    }
}

extension Route.Retry {
    init(_ node: YAMLNode) throws(ConfigurationError) {
        let map = try node.mapping(of: ["attempts", "delay", "on_status_codes"])
        var log = ProblemLog()
        let attempts = log.attempt { () throws(ConfigurationError) in
            try map.required("attempts").int(in: RetryRule.attempts)
        }
        let delay = log.attempt { () throws(ConfigurationError) in
            try map["delay"]?.int(in: RetryRule.delays) ?? RetryRule.usualDelay
        }
        let failures = log.attempt { () throws(ConfigurationError) in
            try map["on_status_codes"]?.failures() ?? RetryRule.usualFailures
        }
        try log.check()
        self.init(attempts: attempts ?? 0, delay: delay ?? 0, failures: failures ?? [])
    }
}

extension JSONObject {
    /// A whole number in decimal digits.
    fileprivate func int(_ name: String) -> Int? {
        guard let member = member(name), member.kind == .number else { return nil }
        return Int(String(decoding: bytes[member.value], as: UTF8.self))
    }
}
