/// A small line without axes.
enum Sparkline {
    static let width = 120.0
    static let height = 28.0

    /// The line's shape; empty if there is nothing to see.
    static func path(_ values: [Double]) -> String {
        guard let most = values.max(), most > 0, values.count > 1 else { return "" }
        let (step, top) = (width / Double(values.count - 1), height - 2)
        var path = SVGPath()
        for (place, value) in values.enumerated() {
            let (x, y) = (Double(place) * step, 1 + top - top * value / most)
            if place == 0 { path.dot(x: x, y: y) } else { path.line(x: x, y: y) }
        }
        return path.text
    }
}
