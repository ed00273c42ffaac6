internal import Common

/// A chart as its template takes it.
struct ChartView {
    /// A series' shape in SVG's path language.
    struct Shape {
        var path: String
        var kind: String
    }

    /// The area that stands for one time, with the text for a pointer.
    struct Point {
        var pointX: String
        var pointWidth: String
        var pointLink: String
        var pointText: String
    }

    struct Key {
        var keyName: String
        var keyColour: String
        var keyLink: String?
        var keyTotal: String
    }

    var chartTitle: String
    var chartWidth: String
    var chartHeight: String
    var isDrawn: Bool
    var shapes: [Shape] = []
    var points: [Point] = []
    var keys: [Key] = []
    var yTicks: [String] = []
    var xTicks: [String] = []
}

extension Chart {
    /// The drawing's own units; the browser stretches it.
    static let width = 600.0
    static let height = 160.0

    var view: ChartView {
        let scale = LinearScale(upTo: most, length: Self.height)
        var view = ChartView(
            chartTitle: title, chartWidth: SVGText.number(Self.width), chartHeight: SVGText.number(Self.height),
            isDrawn: !isEmpty && !times.isEmpty)
        view.keys = series.map {
            .init(keyName: $0.name, keyColour: $0.colour, keyLink: $0.link, keyTotal: $0.total)
        }
        guard view.isDrawn else { return view }
        view.shapes = form == .bars ? bars(scale) : lines(scale)
        view.points = points
        view.yTicks = [scale.top, scale.top / 2, 0].map(show)
        let range = times[times.count - 1].milliseconds(since: times[0]) + interval
        view.xTicks = (0...4).map { Figures.tick(times[0] + .milliseconds(range * UInt64($0) / 4), range: range) }
        return view
    }

    private var step: Double { Self.width / Double(times.count) }

    private func bars(_ scale: LinearScale) -> [ChartView.Shape] {
        var floors = Array(repeating: 0.0, count: times.count)
        let gap = min(step * 0.2, 2)
        return series.map { series in
            var path = SVGPath()
            for place in times.indices {
                guard let value = series.values[place], value > 0 else { continue }
                let (floor, top) = (scale.place(floors[place]), scale.place(floors[place] + value))
                // A value is seen, however small it is.
                path.rectangle(
                    x: Double(place) * step + gap / 2, y: min(top, floor - 0.75), width: step - gap,
                    height: max(floor - top, 0.75))
                floors[place] += value
            }
            return .init(path: path.text, kind: "bar c-\(series.colour)")
        }
    }

    private func lines(_ scale: LinearScale) -> [ChartView.Shape] {
        series.map { series in
            var path = SVGPath()
            var isOpen = false
            for place in times.indices {
                guard let value = series.values[place] else {
                    isOpen = false
                    continue
                }
                let (x, y) = ((Double(place) + 0.5) * step, scale.place(value))
                if isOpen { path.line(x: x, y: y) } else { path.dot(x: x, y: y) }
                isOpen = true
            }
            return .init(path: path.text, kind: "line c-\(series.colour)")
        }
    }

    private var points: [ChartView.Point] {
        times.indices.compactMap { place in
            let told = series.compactMap { series in
                series.values[place].flatMap { $0 == 0 ? nil : "\(series.name): \(show($0))" }
            }
            guard !told.isEmpty else { return nil }
            let from = times[place]
            let time = Figures.time(from.iso8601)
            return .init(
                pointX: SVGText.number(Double(place) * step), pointWidth: SVGText.number(step),
                pointLink: link(from, from + .milliseconds(interval)),
                pointText: ([time + " UTC"] + told).joined(separator: "\n"))
        }
    }
}
