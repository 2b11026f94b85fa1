/// A part of a picture that may be a garment.
public struct RegionProposal: Sendable, Hashable {
    public let region: PictureRegion
    /// How much it stands out from what surrounds the picture, and how much of it does, 0…1.
    public let salience: Double
}

extension RGBImage {
    /// Parts that may each be a garment, what stands out most first; none where nothing does.
    ///
    /// The border of the picture is taken for its background: one to three colours that are found there. What is of another colour makes connected
    /// pieces, and each piece is a proposal; a tall piece, as of somebody standing, is also cut where its colour changes, into upper and lower part. On plain and softly lit backgrounds this finds what lies
    /// apart; in front of a busy street it finds little, and nothing is better than wrong boxes.
    /// - Parameter limit: proposals at most.
    public func garmentRegions(limit: Int = 8) -> [RegionProposal] {
        let map = SalienceMap(self)
        var found: [SalienceMap.Piece] = []
        for piece in map.pieces(of: { map.isShown[$0] }, least: SalienceMap.leastPiece) {
            found.append(piece)
            found += map.parts(of: piece)
        }
        var kept: [SalienceMap.Piece] = []
        for piece in found.sorted(by: { ($1.weight, $0.box.left, $0.box.top) < ($0.weight, $1.box.left, $1.box.top) })
        where !kept.contains(where: { $0.box.overlap(with: piece.box) > 0.7 }) {
            kept.append(piece)
        }
        return kept.prefix(limit).compactMap { map.proposal($0) }
    }
}

/// A small version of a picture, and how far each of its pixels is from the background.
private struct SalienceMap {
    struct Box: Hashable {
        var left: Int
        var top: Int
        /// Behind the last pixel.
        var right: Int
        var bottom: Int

        var area: Int { (right - left) * (bottom - top) }

        /// Intersection over union.
        func overlap(with other: Box) -> Double {
            let width = min(right, other.right) - max(left, other.left)
            let height = min(bottom, other.bottom) - max(top, other.top)
            guard width > 0, height > 0 else { return 0 }
            return Double(width * height) / Double(area + other.area - width * height)
        }
    }

    /// Pixels that hang together.
    struct Piece {
        let pixels: [Int]
        let box: Box
        /// The sum of how far its pixels are from the background.
        let weight: Double
    }

    private static let side = 112
    /// ΔE from which a pixel is no background.
    private static let reach = 11.0
    /// Of the picture's pixels.
    static let leastPiece = 0.012
    /// A piece so much taller than wide, and so high, may be somebody who wears several garments.
    private static let tall = 1.35
    private static let standing = 0.45
    /// What a box shows beyond its piece, of its sides.
    private static let margin = 0.04

    private let width: Int
    private let height: Int
    private let colors: [LabColor]
    private let distance: [Double]
    let isShown: [Bool]

    init(_ picture: RGBImage) {
        let scale = Double(Self.side) / Double(max(picture.width, picture.height))
        let small =
            scale >= 1
            ? picture
            : picture.resized(
                width: max(1, Int((Double(picture.width) * scale).rounded())),
                height: max(1, Int((Double(picture.height) * scale).rounded())), filter: .bilinear)
        (width, height) = (small.width, small.height)
        colors = small.labPixels()
        let background = small.backgroundColors(of: colors)
        distance = colors.map { color in background.map { $0.distance(to: color) }.min() ?? 0 }
        let shown = distance.map { $0 >= Self.reach }
        isShown = Self.closed(shown, width, height)
    }

    /// Fills gaps of a pixel: what a seam or a highlight cuts hangs together.
    private static func closed(_ mask: [Bool], _ width: Int, _ height: Int) -> [Bool] {
        func spread(_ mask: [Bool], _ wanted: Bool) -> [Bool] {
            var spread = mask
            for y in 0..<height {
                for x in 0..<width where mask[y * width + x] == wanted {
                    for row in max(0, y - 1)...min(height - 1, y + 1) {
                        for column in max(0, x - 1)...min(width - 1, x + 1) { spread[row * width + column] = wanted }
                    }
                }
            }
            return spread
        }
        return spread(spread(mask, true), false)
    }

    /// The pieces of a mask that are large enough, in the order of their first pixels.
    /// - Parameter least: of the picture's pixels.
    func pieces(of isIn: (Int) -> Bool, least: Double) -> [Piece] {
        var seen = [Bool](repeating: false, count: width * height)
        var pieces: [Piece] = []
        for start in 0..<width * height where !seen[start] && isIn(start) {
            var pixels: [Int] = []
            var waiting = [start]
            seen[start] = true
            var box = Box(left: width, top: height, right: 0, bottom: 0)
            while let place = waiting.popLast() {
                pixels.append(place)
                let (x, y) = (place % width, place / width)
                box = Box(
                    left: min(box.left, x), top: min(box.top, y), right: max(box.right, x + 1), bottom: max(box.bottom, y + 1))
                for row in max(0, y - 1)...min(height - 1, y + 1) {
                    for column in max(0, x - 1)...min(width - 1, x + 1) {
                        let next = row * width + column
                        if !seen[next], isIn(next) {
                            seen[next] = true
                            waiting.append(next)
                        }
                    }
                }
            }
            guard Double(pixels.count) >= least * Double(width * height) else { continue }
            pieces.append(Piece(pixels: pixels, box: box, weight: pixels.reduce(0) { $0 + min(distance[$1], 60) }))
        }
        return pieces
    }

    /// Where a tall piece changes its colour from top to bottom: the part above and the part below, as far as both are garments' sizes.
    func parts(of piece: Piece) -> [Piece] {
        let (columns, rows) = (piece.box.right - piece.box.left, piece.box.bottom - piece.box.top)
        guard Double(rows) >= Self.tall * Double(columns), Double(rows) >= Self.standing * Double(height), rows >= 16 else {
            return []
        }
        var sums = [(l: Double, a: Double, b: Double, count: Double)](repeating: (0, 0, 0, 0), count: rows)
        for place in piece.pixels {
            let row = place / width - piece.box.top
            let color = colors[place]
            sums[row] = (sums[row].l + color.l, sums[row].a + color.a, sums[row].b + color.b, sums[row].count + 1)
        }
        // The cut that leaves least variance within both parts (Otsu's criterion, over the rows' mean colours).
        var best: (row: Int, gain: Double)?
        func mean(_ range: Range<Int>) -> (color: LabColor, count: Double) {
            let sum = sums[range].reduce((l: 0.0, a: 0.0, b: 0.0, count: 0.0)) {
                ($0.l + $1.l, $0.a + $1.a, $0.b + $1.b, $0.count + $1.count)
            }
            let count = max(1, sum.count)
            return (LabColor(l: sum.l / count, a: sum.a / count, b: sum.b / count), sum.count)
        }
        for row in rows / 4..<rows * 3 / 4 + 1 where row > 0 && row < rows {
            let (above, below) = (mean(0..<row), mean(row..<rows))
            let distance = above.color.distance(to: below.color)
            let gain = distance * distance * above.count * below.count
            if gain > best?.gain ?? 0 { best = (row, gain) }
        }
        guard let cut = best?.row, mean(0..<cut).color.distance(to: mean(cut..<rows).color) > Self.reach else { return [] }
        let members = Set(piece.pixels)
        let line = (piece.box.top + cut) * width
        return [
            pieces(of: { $0 < line && members.contains($0) }, least: Self.leastPiece),
            pieces(of: { $0 >= line && members.contains($0) }, least: Self.leastPiece),
        ].compactMap { $0.max { $0.weight < $1.weight } }
    }

    func proposal(_ piece: Piece) -> RegionProposal? {
        let box = piece.box
        let (more, below) = (
            Double(box.right - box.left) * Self.margin, Double(box.bottom - box.top) * Self.margin
        )
        let (left, top) = (max(0, Double(box.left) - more), max(0, Double(box.top) - below))
        let (right, bottom) = (min(Double(width), Double(box.right) + more), min(Double(height), Double(box.bottom) + below))
        let region = PictureRegion(
            x: left / Double(width), y: top / Double(height), width: (right - left) / Double(width),
            height: (bottom - top) / Double(height))
        return region.map {
            RegionProposal(region: $0, salience: min(1, piece.weight / 60 / Double(max(1, box.area))))
        }
    }
}
