internal import Common
internal import Upstream

/// The wait that a provider asks of its clients before they call again.
enum RetryAfter {
    /// The wait that an answer's head asks for, in whole seconds (RFC 9110 §10.2.3) or in milliseconds, as OpenAI and
    /// Azure send them; nil if there is none, or none that can be read. A date is not read, since another machine's
    /// clock made it.
    static func wait(_ head: UpstreamHead) -> Duration? {
        guard head.status >= 400 else { return nil }
        for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
            if let milliseconds = number(head.headers.first(named: name)) { return .milliseconds(milliseconds) }
        }
        return number(head.headers.first(named: "retry-after")).map { .seconds($0) }
    }

    private static func number(_ text: String?) -> Int? {
        guard let text, let number = Double(text), (0...Double(Int32.max)).contains(number) else { return nil }
        return Int(number.rounded(.up))
    }
}
