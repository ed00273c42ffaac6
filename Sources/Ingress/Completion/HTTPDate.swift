internal import Glibc
internal import NIOConcurrencyHelpers

/// The time as the header `Date` has it (RFC 9110 §5.6.7), written once a second.
final class HTTPDate: Sendable {
    private let last = NIOLockedValueBox((second: time_t(-1), text: ""))

    /// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    var now: String {
        let second = time(nil)
        return last.withLockedValue { last in
            if last.second != second { last = (second, Self.text(second)) }
            return last.text
        }
    }

    /// - Parameter second: since 1970.
    static func text(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            // The process never sets a locale, so the names are English.
            let count = strftime(buffer.baseAddress, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return String(
                decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), as: UTF8.self)
        }
    }
}
