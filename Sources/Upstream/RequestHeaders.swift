internal import CCurl
internal import Compression

/// A request's fields in libcurl's form of them, as one piece of memory that libcurl reads.
final class RequestHeaders {
    /// Fields that libcurl and this target make from the request itself. A caller's own would frame the message
    /// differently, name another host, or ask for what is not undone.
    private static let ownedByLibcurl = [
        "accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding",
    ]

    /// The codings that are undone. libcurl would undo them too, but fails where an answer's label is wrong.
    private static let acceptEncoding: [UInt8] = {
        let names = ContentCoding.allCases.filter(\.isAvailable).map(\.rawValue)
        return Array("Accept-Encoding: \(names.joined(separator: ", "))".utf8) + [0]
    }()

    /// Fields that libcurl would add by itself, and that the request does not have.
    private static let unwanted = ["Accept", "Content-Type", "Expect"]

    /// The list for `CURLOPT_HTTPHEADER`.
    let list: UnsafeMutablePointer<curl_slist>
    private let text: UnsafeMutablePointer<CChar>

    init(_ fields: [HeaderField]) {
        let lines = Self.lines(for: fields)
        list = .allocate(capacity: lines.starts.count)
        text = .allocate(capacity: lines.text.count)
        let memory = UnsafeMutableRawBufferPointer(start: text, count: lines.text.count)
        memory.copyBytes(from: lines.text)
        for (index, start) in lines.starts.enumerated() {
            let next = index + 1 < lines.starts.count ? list + index + 1 : nil
            (list + index).initialize(to: curl_slist(data: text + start, next: next))
        }
    }

    deinit {
        list.deallocate()
        text.deallocate()
    }

    /// The lines, each ended by a zero byte, and where each begins: `Name: value`, `Name;` for an empty value, `Name:`
    /// to leave one of libcurl's own away. There is always one of the last kind.
    private static func lines(for fields: [HeaderField]) -> (text: [UInt8], starts: [Int]) {
        var (text, starts): ([UInt8], [Int]) = ([], [])
        text.reserveCapacity(fields.reduce(64) { $0 + $1.name.utf8.count + $1.value.utf8.count + 3 })
        starts.reserveCapacity(fields.count + unwanted.count)
        for field in fields where !ownedByLibcurl.contains(where: { $0.equalsIgnoringASCIICase(field.name) }) {
            starts.append(text.count)
            text.append(contentsOf: field.name.utf8)
            if field.value.isEmpty {
                text.append(UInt8(ascii: ";"))
            } else {
                text.append(contentsOf: ": ".utf8)
                text.append(contentsOf: field.value.utf8)
            }
            text.append(0)
        }
        starts.append(text.count)
        text += acceptEncoding
        let isThere: (String) -> Bool = { name in fields.contains { $0.name.equalsIgnoringASCIICase(name) } }
        // A request's own `Expect` is left away above.
        for name in unwanted where name == "Expect" || !isThere(name) {
            starts.append(text.count)
            text.append(contentsOf: name.utf8)
            text.append(UInt8(ascii: ":"))
            text.append(0)
        }
        return (text, starts)
    }
}
