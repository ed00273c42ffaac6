/// A message on a subscribed channel.
package struct RedisMessage: Sendable, Hashable {
    /// The channel on which it was published.
    package let channel: String
    /// The bytes that were published.
    package let payload: [UInt8]

    /// - Returns: nil if the value is not a pushed message
    ///   (https://redis.io/docs/latest/develop/pubsub/#format-of-pushed-messages).
    init?(_ value: RedisValue) {
        guard value[0] == .bytes(Array("message".utf8)), let channel = value[1].string, let payload = value[2].bytes
        else { return nil }
        self.channel = channel
        self.payload = payload
    }
}
