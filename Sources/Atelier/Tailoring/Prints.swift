import Foundation

/// The patterns, each as a tile that repeats.
enum Prints {
    /// The tile of a garment's pattern, or `nil` where the pattern is none that repeats.
    /// - Parameter scale: pixels per unit, so that the tile is neither blurred nor jagged in the picture.
    static func tile(_ garment: Garment, _ cloth: Cloth, scale: Double) throws(AtelierError) -> Tile? {
        let print = garment.print
        let size = 0.75 + 0.7 * print.scale
        let pattern = garment.design.pattern
        switch pattern {
        case .solid, .washed, .colourBlock: return nil
        default: break
        }
        let units = units(of: pattern, print) * size
        let pixels = max(6, Int((units * scale * 1.25).rounded()))
        let canvas = try Canvas(width: pixels, height: pixels)
        var dice = Dice(seed: 11, garment.index, print.motif)
        // Drawn in a square of side 1.
        canvas.moved(to: Point(0, 0), scale: Double(pixels)) { draw(pattern, print, cloth, on: canvas, &dice) }
        var tile = Tile(canvas: canvas, resolution: Double(pixels) / units)
        tile.angle = angle(pattern, print)
        return tile
    }

    /// The threads of the cloth: ribs of a knit, the diagonal of a twill, or a plain weave.
    static func weave(_ design: Design, scale: Double) throws(AtelierError) -> Tile {
        let isKnit = design.silhouette == .sweater || design.silhouette == .hoodie
        let isDenim = design.silhouette.isDenim
        let isTwill = design.kind == .coat || design.kind.hasLegs
        let units = isKnit ? 10.0 : isDenim ? 4 : isTwill ? 5 : 4
        let pixels = max(3, Int((units * scale * 1.25).rounded()))
        let canvas = try Canvas(width: pixels, height: pixels)
        let (dark, light) = (
            Ink.shade.opacity(isKnit ? 0.13 : isDenim ? 0.08 : 0.06), Ink.white.opacity(isKnit ? 0.1 : isDenim ? 0.08 : 0.045)
        )
        canvas.moved(to: Point(0, 0), scale: Double(pixels)) {
            if isKnit || isTwill {
                canvas.fill(.rectangle(0, 0, 0.34, 1), dark)
                canvas.fill(.rectangle(0.5, 0, 0.3, 1), light)
            } else {
                canvas.fill(.rectangle(0, 0, 0.5, 0.5), dark)
                canvas.fill(.rectangle(0.5, 0.5, 0.5, 0.5), dark)
                canvas.fill(.rectangle(0.5, 0, 0.5, 0.5), light)
            }
        }
        var tile = Tile(canvas: canvas, resolution: Double(pixels) / units)
        tile.angle = isTwill ? 32 : 0
        return tile
    }

    /// The side of one repeat, in units, at the smallest scale.
    private static func units(of pattern: Pattern, _ print: Print) -> Double {
        switch pattern {
        case .stripes, .verticalStripes, .diagonal: [26.0, 40, 34, 52, 22, 46][print.motif]
        case .dots: 38
        case .gingham: 30
        case .plaid: 72
        case .chevron: 42
        case .geometric: 46
        case .floral, .leaves: 92
        case .animal: 84
        case .abstract: 130
        case .solid, .washed, .colourBlock: 0
        }
    }

    private static func angle(_ pattern: Pattern, _ print: Print) -> Double {
        switch pattern {
        case .stripes: 0
        case .verticalStripes: 90
        case .diagonal: print.motif % 2 == 0 ? 38 : -38
        case .gingham, .plaid: print.motif == 5 ? 45 : 0
        case .dots, .geometric, .chevron: 0
        default: print.angle
        }
    }

    private static func draw(_ pattern: Pattern, _ print: Print, _ cloth: Cloth, on canvas: Canvas, _ dice: inout Dice) {
        switch pattern {
        case .solid, .washed, .colourBlock: break
        case .stripes, .verticalStripes, .diagonal: stripes(print, cloth, canvas)
        case .dots: dots(print, cloth, canvas)
        case .gingham: gingham(cloth, canvas)
        case .plaid: plaid(print, cloth, canvas)
        case .chevron: chevron(print, cloth, canvas)
        case .geometric: geometric(print, cloth, canvas)
        case .floral: floral(print, cloth, canvas, &dice)
        case .leaves: leaves(print, cloth, canvas, &dice)
        case .animal: animal(print, cloth, canvas, &dice)
        case .abstract: abstract(print, cloth, canvas, &dice)
        }
    }

    private static func bar(_ top: Double, _ height: Double, _ ink: Ink, _ canvas: Canvas) {
        canvas.fill(.rectangle(0, top, 1, height), ink)
    }

    private static func stripes(_ print: Print, _ cloth: Cloth, _ canvas: Canvas) {
        switch print.motif {
        case 0: bar(0.25, 0.5, cloth.figure, canvas)
        case 1:
            bar(0.1, 0.42, cloth.figure, canvas)
            bar(0.68, 0.1, cloth.spark, canvas)
        case 2: bar(0.4, 0.24, cloth.figure, canvas)
        case 3:
            bar(0.12, 0.2, cloth.figure, canvas)
            bar(0.4, 0.07, cloth.figure, canvas)
            bar(0.56, 0.2, cloth.spark, canvas)
        case 4: bar(0.3, 0.34, cloth.figure, canvas)
        default:
            bar(0.1, 0.16, cloth.figure, canvas)
            bar(0.36, 0.16, cloth.figure, canvas)
        }
    }

    private static func dots(_ print: Print, _ cloth: Cloth, _ canvas: Canvas) {
        let radius = [0.2, 0.14, 0.24, 0.17, 0.21, 0.12][print.motif]
        for x in [0.0, 1] {
            for y in [0.0, 1] { canvas.fill(Outline.ellipse(Point(x, y), radius, radius), cloth.figure) }
        }
        let second = print.motif % 3 == 2 ? cloth.spark : cloth.figure
        canvas.fill(
            Outline.ellipse(Point(0.5, 0.5), radius * (print.motif == 3 ? 0.6 : 1), radius * (print.motif == 3 ? 0.6 : 1)), second
        )
        if print.motif == 4 { canvas.fill(Outline.ellipse(Point(0.5, 0.5), radius * 0.55, radius * 0.55), cloth.ground) }
    }

    private static func gingham(_ cloth: Cloth, _ canvas: Canvas) {
        canvas.fill(.rectangle(0, 0, 0.5, 1), cloth.figure.opacity(0.55))
        canvas.fill(.rectangle(0, 0, 1, 0.5), cloth.figure.opacity(0.55))
    }

    private static func plaid(_ print: Print, _ cloth: Cloth, _ canvas: Canvas) {
        let bands: [(Double, Double, Ink)] =
            print.motif % 2 == 0
            ? [
                (0.08, 0.34, cloth.figure.opacity(0.5)), (0.22, 0.05, cloth.spark.opacity(0.9)),
                (0.66, 0.08, cloth.figure.opacity(0.75)),
            ]
            : [(0.1, 0.1, cloth.figure.opacity(0.8)), (0.5, 0.3, Ink.shade.opacity(0.3)), (0.62, 0.05, cloth.spark.opacity(0.9))]
        for (start, wide, ink) in bands {
            canvas.fill(.rectangle(0, start, 1, wide), ink)
            canvas.fill(.rectangle(start, 0, wide, 1), ink)
        }
    }

    private static func chevron(_ print: Print, _ cloth: Cloth, _ canvas: Canvas) {
        let rows = print.motif % 2 == 0 ? [0.0] : [0.0, 0.5]
        let thick = print.motif % 2 == 0 ? 0.4 : 0.22
        for base in rows {
            for shift in [-1.0, 0, 1] {
                let y = base + shift
                canvas.fill(
                    Outline([
                        Point(0, y + 0.5), Point(0.5, y), Point(1, y + 0.5), Point(1, y + 0.5 + thick), Point(0.5, y + thick),
                        Point(0, y + 0.5 + thick),
                    ]), base == 0 ? cloth.figure : cloth.spark)
            }
        }
    }

    private static func geometric(_ print: Print, _ cloth: Cloth, _ canvas: Canvas) {
        switch print.motif {
        case 0, 1:
            canvas.fill(Outline([Point(0.5, 0.04), Point(0.92, 0.5), Point(0.5, 0.96), Point(0.08, 0.5)]), cloth.figure)
            canvas.fill(
                Outline([Point(0.5, 0.3), Point(0.68, 0.5), Point(0.5, 0.7), Point(0.32, 0.5)]),
                print.motif == 0 ? cloth.ground : cloth.spark)
        case 2:
            canvas.fill(Outline([Point(0, 0), Point(0.5, 0), Point(0, 0.5)]), cloth.figure)
            canvas.fill(Outline([Point(1, 1), Point(0.5, 1), Point(1, 0.5)]), cloth.figure)
            canvas.fill(Outline([Point(0.5, 0.5), Point(1, 0), Point(1, 0.5)]), cloth.spark)
        case 3:
            for (x, y) in [(0.0, 0.0), (0.5, 0.5)] { canvas.fill(.rectangle(x + 0.06, y + 0.06, 0.38, 0.38), cloth.figure) }
            canvas.fill(.rectangle(0.66, 0.16, 0.18, 0.18), cloth.spark)
        case 4:
            for radius in [0.46, 0.24] {
                canvas.stroke(
                    Outline.ellipse(Point(0.5, 0.5), radius, radius), radius > 0.3 ? cloth.figure : cloth.spark, width: 0.1)
            }
        default:
            // Overlapping arches.
            for (x, y) in [(0.0, 0.5), (1.0, 0.5), (0.5, 1.0), (0.5, 0.0)] {
                canvas.fill(Outline.ellipse(Point(x, y + 0.0), 0.5, 0.5), cloth.ground)
                canvas.stroke(Outline.ellipse(Point(x, y), 0.42, 0.42), cloth.figure, width: 0.11)
            }
        }
    }

    /// Draws at a place of the square and wherever that shows across its edges.
    private static func wrapped(_ place: Point, angle: Double, scale: Double, on canvas: Canvas, _ body: () -> Void) {
        for x in [-1.0, 0, 1] {
            for y in [-1.0, 0, 1] {
                let center = place + Point(x, y)
                guard center.x > -0.35, center.x < 1.35, center.y > -0.35, center.y < 1.35 else { continue }
                canvas.moved(to: center, angle: angle, scale: scale, body)
            }
        }
    }

    private static let scatter = [
        Point(0.2, 0.22), Point(0.7, 0.1), Point(0.46, 0.56), Point(0.9, 0.55), Point(0.14, 0.78), Point(0.68, 0.86),
    ]

    private static func floral(_ print: Print, _ cloth: Cloth, _ canvas: Canvas, _ dice: inout Dice) {
        let petals = [5, 6, 4, 8, 5, 5][print.motif]
        let leaf = cloth.ground.mixed(Swatch.green.ink, 0.75)
        let big = print.motif >= 3
        let places = big ? [scatter[0], scatter[3], scatter[5]] : scatter
        for (index, place) in places.enumerated() {
            let turn = dice.between(0, 6.28)
            let size = (big ? 0.25 : 0.16) * dice.between(0.85, 1.1)
            let ink = index % 3 == 1 ? cloth.spark : cloth.figure
            wrapped(place, angle: turn, scale: size, on: canvas) {
                for side in [0.4, 2.7] {
                    canvas.fill(Outline.ellipse(Point(1.15 * cos(side), 1.15 * sin(side)), 0.55, 0.22, turned: side), leaf)
                }
                for petal in 0..<petals {
                    let angle = Double(petal) / Double(petals) * 2 * .pi
                    canvas.fill(
                        Outline.ellipse(
                            Point(0.58 * cos(angle), 0.58 * sin(angle)), 0.46, petals > 6 ? 0.2 : 0.33, turned: angle), ink)
                }
                canvas.fill(Outline.ellipse(Point(0, 0), 0.26, 0.26), index % 3 == 1 ? cloth.figure : Swatch.mustard.ink)
            }
        }
    }

    private static func leaves(_ print: Print, _ cloth: Cloth, _ canvas: Canvas, _ dice: inout Dice) {
        for (index, place) in scatter.enumerated() where index % 2 == 0 || print.motif % 2 == 0 {
            let turn = dice.between(0, 6.28)
            let size = print.motif % 2 == 0 ? 0.2 : 0.31
            wrapped(place, angle: turn, scale: size, on: canvas) {
                let ink = index % 3 == 0 ? cloth.spark : cloth.figure
                for step in 0..<3 {
                    let x = -0.6 + 0.5 * Double(step)
                    for side in [-1.0, 1] {
                        canvas.fill(Outline.ellipse(Point(x + 0.22, side * 0.3), 0.38, 0.15, turned: side * 0.8), ink)
                    }
                }
                canvas.fill(Outline.ellipse(Point(0.8, 0), 0.32, 0.15), ink)
                canvas.stroke(Outline([Point(-0.95, 0), Point(0.8, 0)], closed: false), ink, width: 0.08)
            }
        }
    }

    private static func animal(_ print: Print, _ cloth: Cloth, _ canvas: Canvas, _ dice: inout Dice) {
        if print.motif % 2 == 0 {
            // Leopard: broken rings with a darker heart.
            let heart = cloth.ground.mixed(cloth.figure, 0.4)
            for row in 0..<4 {
                for column in 0..<4 {
                    let place = Point(
                        (Double(column) + (row % 2 == 0 ? 0.25 : 0.75)) / 4 + dice.between(-0.03, 0.03),
                        (Double(row) + 0.5) / 4 + dice.between(-0.03, 0.03))
                    let turn = dice.between(0, 6.28)
                    wrapped(place, angle: turn, scale: 0.095, on: canvas) {
                        canvas.fill(Outline.ellipse(Point(0, 0), 0.75, 0.6), heart)
                        for start in [0.0, 2.3, 4.4] {
                            let arc = (0...4).map { step -> Point in
                                let angle = start + Double(step) * 0.36
                                return Point(0.95 * cos(angle), 0.8 * sin(angle))
                            }
                            canvas.fill(Outline.band(arc) { 0.08 + 0.5 * $0 * (1 - $0) * 1.6 }, cloth.figure)
                        }
                    }
                }
            }
        } else {
            // Zebra: tapering waves.
            for row in 0..<5 {
                let y = (Double(row) + 0.5) / 5
                let start = dice.unit()
                let bend = dice.between(0.03, 0.06)
                wrapped(Point(start, y), angle: 0, scale: 1, on: canvas) {
                    let wave = (0...8).map { Point(-0.46 + Double($0) * 0.115, bend * sin(Double($0) * 1.1)) }
                    canvas.fill(Outline.band(wave) { 0.01 + 0.26 * $0 * (1 - $0) }, cloth.figure)
                }
            }
        }
    }

    private static func abstract(_ print: Print, _ cloth: Cloth, _ canvas: Canvas, _ dice: inout Dice) {
        for (index, place) in scatter.enumerated() where index < 3 + print.motif % 3 {
            let turn = dice.between(0, 6.28)
            let ink = [cloth.figure, cloth.spark, cloth.figure.mixed(cloth.ground, 0.45)][index % 3]
            let points = (0..<7).map { step -> Point in
                let angle = Double(step) / 7 * 2 * .pi
                let reach = dice.between(0.5, 1.15)
                return Point(reach * cos(angle), reach * 0.7 * sin(angle))
            }
            wrapped(place, angle: turn, scale: print.motif % 2 == 0 ? 0.2 : 0.15, on: canvas) {
                canvas.fill(Outline.blob(points), ink)
            }
            if print.motif >= 3 {
                wrapped(place + Point(0.12, 0.12), angle: turn, scale: 0.2, on: canvas) {
                    canvas.stroke(Outline([Point(-0.9, 0), Point(0.9, 0.3)], closed: false), cloth.spark, width: 0.14)
                }
            }
        }
    }
}
