import Testing

@testable import GatewayCommand

/// The line that `wait` shows on a terminal.
@Suite struct WaitProgressTests {
    private static func verdict(
        _ kind: VerdictResponse.Kind = .incomplete, traced: Int, of expected: Int, inFlight: Int = 0, failed: Int = 0,
        reason: String? = nil
    ) -> VerdictResponse {
        VerdictResponse(
            rolloutID: "r", kind: kind, expected: expected, traced: traced, inFlight: inFlight, failed: failed,
            missing: [], reason: reason)
    }

    /// A line that wraps cannot be written over: each look would leave one behind.
    @Test(arguments: 1...120) func `a line fits its terminal`(columns: Int) {
        var progress = WaitProgress()
        _ = progress.line(Self.verdict(traced: 100, of: 100_000), at: .zero, columns: columns)
        for verdict in [
            Self.verdict(traced: 40_000, of: 100_000, inFlight: 5000, failed: 12), Self.verdict(traced: 0, of: 0),
            Self.verdict(.unknown, traced: 7, of: 9, reason: String(repeating: "the trace store is away ", count: 9)),
        ] {
            let line = progress.line(verdict, at: .seconds(60), columns: columns)
            #expect(line.count <= columns && !line.isEmpty, "\(line)")
            if columns >= 16, verdict.expected > 9 { #expect(line.contains("40%"), "\(line)") }
            if (20...60).contains(columns), verdict.expected > 9 {
                #expect(line.contains("40%") && (columns < 30 || line.contains("40000/100000")), "\(line)")
            }
        }
    }

    @Test(arguments: [20, 25, 30, 40, 50, 60]) func `the bar stays in a narrow terminal`(columns: Int) {
        var progress = WaitProgress()
        let line = progress.line(Self.verdict(traced: 1, of: 2), at: .zero, columns: columns)
        #expect(line.contains("█") && line.contains("░") && line.contains("50%"), "\(line)")
        #expect(columns < 24 || line.contains("1/2 traced"), "\(line)")
    }

    @Test func `without a terminal all is said`() {
        var progress = WaitProgress()
        let line = progress.line(Self.verdict(traced: 1, of: 4, inFlight: 1, failed: 3), at: .zero)
        #expect(line.hasSuffix("25%  1/4 traced  1 in flight  2 missing  3 failed"), "\(line)")
    }

    @Test(arguments: [
        (1, 10, "0.1/s"), (3, 10, "0.3/s"), (19, 20, "1.0/s"), (1, 40, "<0.1/s"), (20, 20, "1/s"), (55, 10, "6/s"),
        (1234, 1, "1234/s"),
    ])
    func `the speed has a decimal below one`(traced: Int, seconds: Int, words: String) {
        var progress = WaitProgress()
        _ = progress.line(Self.verdict(traced: 0, of: 5000), at: .zero)
        let line = progress.line(Self.verdict(traced: traced, of: 5000), at: .seconds(seconds))
        #expect(line.contains("  \(words)  ETA "), "\(line)")
    }
}
