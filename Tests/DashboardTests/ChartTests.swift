import Common
import Testing

@testable import Dashboard

struct LinearScaleTests {
    @Test(arguments: [
        (0.0, 1.0), (-3, 1), (.nan, 1), (.infinity, 1), (1, 1), (1.01, 1.5), (2.2, 3), (3, 3), (7, 8), (9, 10),
        (10, 10), (11, 15),
        (0.0031, 0.004), (999, 1000), (1001, 1500), (1e12, 1e12),
    ])
    func `the top is a round number`(most: Double, top: Double) {
        let found = LinearScale.round(most)
        #expect(abs(found - top) < top * 1e-9)
    }

    @Test func `values have their places`() {
        let scale = LinearScale(upTo: 95, length: 200)
        #expect(scale.top == 100)
        #expect(scale.place(0) == 200 && scale.place(50) == 100 && scale.place(100) == 0)
        #expect(scale.place(-5) == 200 && scale.place(1000) == 0, "nothing is drawn outside")
    }
}

struct ChartTests {
    private func chart(_ form: Chart.Form, _ series: [[Double?]], times: Int = 2) -> Chart {
        Chart(
            title: "Requests", form: form, times: (0..<times).map { Timestamp(clamping: $0 * 60_000) },
            interval: 60_000,
            series: series.enumerated().map { .init(name: "s\($0)", colour: "\($0 + 1)", values: $1) },
            show: Figures.compact, link: { "/rows?from=\($0.milliseconds)&to=\($1.milliseconds)" })
    }

    @Test func `bars stand on each other`() {
        let chart = chart(.bars, [[6, nil], [4, 1]])
        #expect(chart.most == 10)
        let shapes = chart.view.shapes
        // 300 units a point, 2 between them; 160 units are 10.
        #expect(
            shapes.map(\.path) == [
                "M1.00 64.00h298.00v96.00h-298.00z",
                "M1.00 0.00h298.00v64.00h-298.00zM301.00 144.00h298.00v16.00h-298.00z",
            ])
        #expect(shapes.map(\.kind) == ["bar c-1", "bar c-2"])
    }

    @Test func `a line is open where nothing was measured`() {
        let chart = chart(.lines, [[10, nil, 5, 0]], times: 4)
        #expect(chart.view.shapes.map(\.path) == ["M75.00 0.00h0M375.00 80.00h0L525.00 160.00"])
    }

    @Test func `points lead to their rows`() {
        let points = chart(.bars, [[6, 0], [4, 0]]).view.points
        #expect(points.map(\.pointLink) == ["/rows?from=0&to=60000"], "an empty point leads nowhere")
        #expect(points.first?.pointText == "Jan 1 00:00:00 UTC\ns0: 6\ns1: 4")
    }

    @Test(arguments: [Chart.Form.bars, .lines]) func `without numbers nothing is drawn`(form: Chart.Form) {
        #expect(!chart(form, [[nil, nil]]).view.isDrawn)
        #expect(!chart(form, [], times: 0).view.isDrawn)
        #expect(!chart(form, [[0, 0]]).view.isDrawn)
    }

    /// A bar of one among a million is seen.
    @Test func `small values are seen`() {
        let shapes = chart(.bars, [[1_000_000, 1]]).view.shapes
        #expect(shapes[0].path.contains("v0.75"))
    }
}

struct ProgressViewTests {
    private func progress(_ change: (inout RolloutProgress) -> Void) -> RolloutProgress {
        var progress = RolloutProgress()
        change(&progress)
        return progress
    }

    @Test func `the parts fill the bar`() {
        let view = ProgressView(
            progress {
                ($0.verdict, $0.expected, $0.traced, $0.inFlight, $0.failed, $0.isChecked) = (
                    "incomplete", 8, 4, 3, 2, true
                )
            })
        #expect(view.parts.map(\.partTone) == ["good", "flight", "bad", "warn"])
        #expect(view.parts.map(\.partWidth) == ["40.00%", "30.00%", "10.00%", "20.00%"])
        #expect(view.parts.map(\.partX) == ["0.00%", "40.00%", "70.00%", "80.00%"])
        #expect(view.progressText == "4 traced, 3 in flight, 1 missing, 2 failed")
    }

    /// The list of rollouts knows how many there are, and not what is traced.
    @Test func `what was not checked is not said to be missing`() {
        let view = ProgressView(progress { ($0.expected, $0.failed) = (5, 0) })
        #expect(view.parts.map(\.partTone) == ["quiet"] && view.verdictText == "not checked" && view.traced == "–")
    }
}

struct FiguresTests {
    @Test(arguments: [(0.0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234")])
    func `counts have their thousands apart`(value: Double, text: String) { #expect(Figures.count(value) == text) }

    @Test(arguments: [(0.0, "0"), (0.25, "0.25"), (950, "950"), (999.9, "1k"), (12_345, "12.3k"), (4_560_000, "4.56M")])
    func `large numbers are short`(value: Double, text: String) { #expect(Figures.compact(value) == text) }

    @Test(arguments: [
        (0.0, "0 ms"), (0.4, "0.4 ms"), (850, "850 ms"), (999.7, "1 s"), (1240, "1.24 s"), (59_990, "60 s"),
        (125_000, "2 min 5 s"), (7_260_000, "2 h 1 min"), (864_000_000, "10 days"),
    ])
    func `durations are read`(value: Double, text: String) { #expect(Figures.duration(value) == text) }

    @Test(arguments: [(0.0, "$0"), (0.00042, "$0.00042"), (0.5, "$0.5"), (12.3, "$12.30"), (1234, "$1.23k")])
    func `costs are read`(value: Double, text: String) { #expect(Figures.dollars(value) == text) }

    @Test(arguments: [(0.0, "0%"), (1, "1%"), (0.05, "<0.1%"), (33.333, "33.3%"), (100, "100%")])
    func `parts are read`(value: Double, text: String) { #expect(Figures.percent(value, of: 100) == text) }

    @Test func `times are read`() {
        #expect(Figures.time("2026-11-22T19:26:39.120Z") == "Nov 22 19:26:39")
        #expect(Figures.time("nonsense") == "nonsense")
    }
}
