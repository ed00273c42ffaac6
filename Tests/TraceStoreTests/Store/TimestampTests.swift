import Testing

@testable import TraceStore

struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_795_348_800_123, "2026-11-22T12:00:00.123Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func thereAndBack(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds) == text)
        #expect(Timestamp.milliseconds(text) == milliseconds)
    }

    @Test func everyDayOfACenturyComesBack() {
        var next: Int64 = 0
        for _ in 0..<36_525 {
            if Timestamp.milliseconds(Timestamp.text(next)) != next { Issue.record("\(next)") }
            next += 86_400_000
        }
    }

    @Test(
        arguments: [
            ("2026-11-22T12:00:00Z", 1_795_348_800_000), ("2026-11-22T13:00:00.1239999+01:00", 1_795_348_800_123),
            ("2026-11-22T06:30:00-0530", 1_795_348_800_000), ("2026-11-22t12:00z", 1_795_348_800_000), ("2026-11-22 12:00:00,5Z", 1_795_348_800_500),
        ] as [(String, Int64)])
    func otherFormsAreRead(text: String, milliseconds: Int64) {
        #expect(Timestamp.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T12:00:00", "2026-11-31T12:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00Zx", "2026-11-22T12:00:00+1:00", "+026-11-22T12:00:00Z", "2026-00-22T12:00:00Z", "١٩٧٠-01-01T00:00:00Z",
    ])
    func othersAreNot(text: String) {
        #expect(Timestamp.milliseconds(text) == nil)
    }
}
