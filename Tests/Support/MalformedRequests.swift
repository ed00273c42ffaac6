/// Requests that break HTTP, each with `canary` in every place of it where a client's own text can stand.
package enum MalformedRequests {
    package static let canary = "sk-CANARY-4711"

    /// - Parameter target: a path that takes a body.
    package static func all(_ target: String) -> [String] {
        let head =
            "POST \(target)?\(canary) HTTP/1.1\r\nHost: localhost\r\n\(canary): \(canary)\r\nContent-Type: application/json\r\n"
        let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
        let next = "POST /\(canary) HTTP/1.1\r\nAuthorization: \(canary)\r\n\r\n\(canary)"
        return [
            "\(canary) / HTTP/1.1\r\n\r\n\(next)", "GET \(canary) HTTP/1.1\r\nHost: localhost\r\n\r\n\(next)",
            "GET / \(canary)\r\n\r\n\(next)",
            "GET / HTTP/1.1\r\n\(canary)\r\n\r\n\(next)",
            "GET / HTTP/1.1\r\nHost: \(canary)\r\nHost: \(canary)\r\n\r\n\(next)",
            "GET / HTTP/1.1\r\nX: \(canary)\u{1}\u{7F}\r\n\r\n\(next)", chunked + "\(canary)\r\n\(canary)",
            chunked + "e\r\n\(canary)XX\(canary)\r\n\(next)",
            chunked + "1\r\na\r\n-1\r\n\(next)", chunked + "e;\(canary)=\u{1}\r\n\(canary)\r\n\(next)",
            chunked + "e\r\n\(canary)\r\n0\r\n\(canary)\r\n\r\n\(next)",
            chunked + "e\r\n\(canary)\r\n0\r\nX: \(canary)\u{1}\r\n\r\n\(next)",
            head + "Content-Length: 14\r\nContent-Length: 15\r\n\r\n\(canary)\(next)",
            head + "Content-Length: \(canary)\r\n\r\n\(next)",
            head + "Content-Length: 14\r\n\r\n\(canary)\(canary) \(next)",
            head + "Content-Length: 900\r\n\r\n\(canary)", "\(next)\u{0}\(next)",
            "CONNECT \(canary):443 HTTP/1.1\r\nHost: localhost\r\n\r\n\(next)",
            "POST \(target)/%FF\(canary)%00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n\(canary)\u{FFFD}",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\(canary)",
            "\u{16}\u{3}\u{1}\(canary)\r\n\r\n\(next)",
            head + "X: \(String(repeating: canary, count: 8000))\r\n\r\n\(next)",
        ]
    }

    /// Whether `text` holds the canary, or the beginning of it in hexadecimal digits, as NIO shows bytes.
    package static func betrays(_ text: String) -> Bool {
        let digits = canary.utf8.prefix(6).map { String($0, radix: 16) }
        return text.contains(canary) || text.contains("CANARY") || text.contains(digits.joined())
            || text.contains(digits.joined(separator: " "))
    }
}
