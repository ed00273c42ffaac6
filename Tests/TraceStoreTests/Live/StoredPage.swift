import Common
import JSON
import TestSupport

@testable import TraceStore

/// A page of rows as a client sees it.
struct StoredPage {
    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    let rows: [JSONObject]
    let meta: JSONObject

    init(_ answer: HTTPAnswer) throws {
        guard answer.status == 200 else { throw Unexpected(description: "\(answer.status) \(answer.text)") }
        let page = try JSONObject.scan(answer.body, maximumDepth: 64)
        guard let data = page.member("data"), let elements = page.elements(data), let member = page.member("meta"),
            let meta = try page.object(member)
        else { throw Unexpected(description: answer.text) }
        rows = try elements.map { try JSONObject.scan(page.bytes, range: $0.value, maximumDepth: 64) }
        self.meta = meta
    }

    /// The text of a member of each row.
    func texts(_ name: String) -> [String] { rows.map { $0.text(name) ?? "null" } }

    /// The ids of the rows' traces, the number that `SampleSpan` gave them.
    var numbers: [Int] { rows.map { Int(($0.text("traceId") ?? $0.text("id") ?? "").suffix(8), radix: 16) ?? -1 } }

    var cursor: String? { meta.text("cursor") }
}

extension JSONObject {
    /// A member's JSON as it is written; nil if there is none.
    func json(_ name: String) -> String? { member(name).map { String(decoding: bytes[$0.value], as: UTF8.self) } }
}
