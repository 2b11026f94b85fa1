import Foundation

/// Draws into an `<svg>` of the page, in the page's colours.
final class SVGPen: Pen {
    private var shapes = ""

    func line(_ points: [Point], _ ink: Ink, width: Double, dash: [Double]) {
        guard points.count > 1 else { return }
        let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        let dashes = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash.map(number).joined(separator: " "))\""
        shapes +=
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"var(--\(ink.property))\" stroke-width=\"\(number(width))\""
            + " stroke-linejoin=\"round\" stroke-linecap=\"round\"\(dashes)/>"
    }

    func fill(_ box: Rectangle, _ ink: Ink, radius: Double) {
        shapes +=
            "<rect x=\"\(number(box.x))\" y=\"\(number(box.y))\" width=\"\(number(box.width))\" height=\"\(number(box.height))\""
            + " rx=\"\(number(radius))\" fill=\"var(--\(ink.property))\"/>"
    }

    func text(_ text: String, at: Point, size: Double, _ ink: Ink, _ anchor: Anchor, bold: Bool) {
        let anchor = anchor == .start ? "" : " text-anchor=\"\(anchor == .middle ? "middle" : "end")\""
        let weight = bold ? " font-weight=\"600\"" : ""
        shapes +=
            "<text x=\"\(number(at.x))\" y=\"\(number(at.y))\" font-size=\"\(number(size))\" fill=\"var(--\(ink.property))\""
            + "\(anchor)\(weight)>\(Markup.escaped(text))</text>"
    }

    /// - Parameters: title and description, for who does not see it; name, unlike that of any other in the page.
    func svg(width: Double, height: Double, title: String, description: String, name: String) -> String {
        "<svg viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\" aria-labelledby=\"\(name)-title \(name)-text\">"
            + "<title id=\"\(name)-title\">\(Markup.escaped(title))</title><desc id=\"\(name)-text\">\(Markup.escaped(description))</desc>"
            + shapes + "</svg>"
    }

    /// A tenth of a pixel is enough.
    private func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(format: "%.1f", rounded)
    }
}
