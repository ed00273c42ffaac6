/// Names for processes, unlike those of all others.
package enum ProcessName {
    /// 16 random hex digits.
    package static func random() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
