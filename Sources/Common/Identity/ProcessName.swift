internal import Glibc

/// Names for processes.
package enum ProcessName {
    /// 16 random hex digits, unlike those of all others.
    package static func random() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The machine's name and the process's number, by which an operator finds it.
    package static let shown: String = {
        var host = [CChar](repeating: 0, count: 256)
        let isNamed = gethostname(&host, host.count - 1) == 0
        let bytes = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = isNamed ? String(decoding: bytes, as: UTF8.self) : "?"
        return "\(text):\(getpid())"
    }()
}
