internal import Common
internal import Redis

extension RedisCommand {
    /// Appends an instant as scripts get it: milliseconds since 1970.
    mutating func append(_ time: Timestamp) { append(Int(clamping: time.milliseconds)) }
}
