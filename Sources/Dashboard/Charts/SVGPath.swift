/// The shape of a drawing in SVG's path language.
struct SVGPath {
    private(set) var text = ""

    mutating func rectangle(x: Double, y: Double, width: Double, height: Double) {
        text += "M\(SVGText.number(x)) \(SVGText.number(y))h\(SVGText.number(width))v\(SVGText.number(height))"
        text += "h\(SVGText.number(-width))z"
    }

    /// Begins a line with a dot, so that one that ends there is seen too.
    mutating func dot(x: Double, y: Double) { text += "M\(SVGText.number(x)) \(SVGText.number(y))h0" }

    mutating func line(x: Double, y: Double) { text += "L\(SVGText.number(x)) \(SVGText.number(y))" }
}

enum SVGText {
    /// With two digits behind the point, which is finer than any screen.
    static func number(_ value: Double) -> String { Figures.decimal(value, places: 2) }

    /// A part of a whole, for an attribute that takes percents.
    static func percent(_ part: Double, of whole: Double) -> String {
        number(whole > 0 ? 100 * min(max(part / whole, 0), 1) : 0) + "%"
    }
}
