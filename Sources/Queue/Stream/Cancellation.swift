internal import Common
internal import Redis

/// A job's cancellation, as its marker and its message in Redis say it.
package struct Cancellation: Sendable, Equatable {
    /// Bytes of the answer's body that were written to the client's connection before it closed. Nil if that is not
    /// known, as from an ingress of version 0.1.0, or if the client did not leave by itself.
    package var handedOver: Int?

    package init(handedOver: Int? = nil) { self.handedOver = handedOver }

    /// The value of the marker's key: `1`, and the bytes behind it. Version 0.1.0 looks only whether the key is there.
    var marker: String { handedOver.map { "1 \($0)" } ?? "1" }

    init(marker: RedisValue) {
        let words = (marker.bytes ?? []).split(separator: UInt8(ascii: " "))
        handedOver = words.count == 2 ? Int(String(decoding: words[1], as: UTF8.self)) : nil
    }

    /// The message on the channel: the job's id and, if known, the bytes handed over. Version 0.1.0 reads the id alone.
    func message(of id: InsertionID) -> String { handedOver.map { "\(id) \($0)" } ?? id.description }
}
