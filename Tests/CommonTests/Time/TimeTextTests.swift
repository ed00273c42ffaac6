import Testing

@testable import Common

@Suite struct TimeTextTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (1_763_839_599_120, "2025-11-22T19:26:39.120Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ])
    func `writes and reads`(_ time: Int64, _ text: String) {
        #expect(TimeText.iso(time) == text)
        #expect(TimeText.milliseconds(text) == time)
    }

    @Test(arguments: [
        ("2025-11-22", Int64(1_763_769_600_000)), ("2025-11-22T19:26", 1_763_839_560_000),
        ("2025-11-22 19:26:39", 1_763_839_599_000),
        ("2025-11-22T19:26:39.1", 1_763_839_599_100), ("2025-11-22T19:26:39.123456Z", 1_763_839_599_123),
        ("2025-11-22T20:26:39+01:00", 1_763_839_599_000),
        ("2025-11-22T14:26:39-0500", 1_763_839_599_000), ("2025-11-22T20:26:39 01:00", 1_763_839_599_000),
    ])
    func `reads other forms`(_ text: String, _ time: Int64) { #expect(TimeText.milliseconds(text) == time) }

    @Test(arguments: [
        "", "now", "2025-13-01", "2025-11-32", "2025-11-31", "2025-02-29", "2025-11-22T", "2025-11-22T25:00",
        "2025-11-22T19:26:39.Z",
        "2025-11-22T19:26:39ZZ", "2025-1-2",
    ])
    func `refuses others`(_ text: String) { #expect(TimeText.milliseconds(text) == nil) }

    /// Each day of four hundred years comes back as itself.
    @Test func `every day comes back`() {
        for day in stride(from: Int64(-60_000), to: 90_000, by: 7) {
            #expect(TimeText.milliseconds(TimeText.iso(day * 86_400_000)) == day * 86_400_000)
        }
    }

    @Test func `a trace ID is an insertion ID`() {
        let id = InsertionID.numbered(77)
        #expect(InsertionID(hex: id.hex.utf8) == id && InsertionID(hex: id.hex.uppercased().utf8) == id)
        for other in [
            "", "0198f3a0", id.description, String(repeating: "f", count: 32), String(id.hex.dropLast()) + "g",
        ] {
            #expect(InsertionID(hex: other.utf8) == nil)
        }
    }
}
