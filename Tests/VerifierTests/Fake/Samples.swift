@testable import Common
@testable import Verifier

extension InsertionID {
    /// Ids that were made one after the other.
    /// - Parameters:
    ///   - number: differs from others.
    ///   - time: milliseconds since 1970.
    static func sample(_ number: Int, at time: Int64 = 1_763_812_345_000, step: Int64 = 1) -> InsertionID {
        InsertionID(high: UInt64(time + Int64(number) * step) << 16 | 0x7000, low: 0b10 << 62 | UInt64(number))
    }

    static func samples(_ count: Int, at time: Int64 = 1_763_812_345_000, step: Int64 = 1) -> [InsertionID] {
        (0..<count).map { .sample($0, at: time, step: step) }
    }
}

extension TraceDestination {
    static let sample = TraceDestination(
        host: BaseURL(scheme: "http", host: "store.test", port: 80, path: "", text: "http://store.test"),
        keys: LangfuseKeys(publicKey: SecretString("pk-lf-canary"), secretKey: SecretString("sk-lf-canary")))
}

/// What a test did not expect.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
