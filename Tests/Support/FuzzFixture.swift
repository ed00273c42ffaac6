internal import Common
internal import Foundation

/// The seeds and the kept inputs of the fuzz tests, in Tests/Fixtures/fuzz.
package enum FuzzFixture {
    /// How many inputs each seed makes: `FUZZ_ITERATIONS`, by default few enough for every test run.
    package static let iterations = ProcessInfo.processInfo.environment["FUZZ_ITERATIONS"].flatMap(Int.init) ?? 20_000

    /// Tests share few threads, and some of them watch the time; a long loop gives way each time, since a dozen such
    /// loops run side by side.
    package static func letOthersRun() async { await Task.yield() }

    /// The lines of a fixture without its comments (`#`) and empty lines.
    package static func lines(_ name: String) throws -> [String] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: tests.appending(path: "Fixtures/fuzz/\(name)"), encoding: .utf8)
        return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    package static func seeds() throws -> [UInt64] {
        try lines("seeds.txt").compactMap { UInt64($0) }
    }

    /// The kept inputs of a fixture: a verdict, a space, and the input with all but visible ASCII (and `%`)
    /// percent-encoded.
    package static func inputs(_ name: String) throws -> [(verdict: String, input: [UInt8])] {
        try lines(name).map { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            let input = parts.count > 1 ? PercentDecoding.bytes(parts[1].utf8) : []
            return (String(parts[0]), input ?? [])
        }
    }

    /// An input as a fixture keeps it, to be copied there from a failure's message.
    package static func line(_ input: some Sequence<UInt8>) -> String {
        input.map {
            0x21...0x7E ~= $0 && $0 != UInt8(ascii: "%") ? String(UnicodeScalar($0)) : String(format: "%%%02X", $0)
        }.joined()
    }
}
