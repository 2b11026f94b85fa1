/// A colour that much of a picture has.
public struct DominantColor: Sendable, Hashable {
    public let color: LabColor
    public let name: String
    /// Of the pixels that are not background, 0…1.
    public let share: Double
}

extension RGBImage {
    /// The colours of what a picture shows, the largest share first; at most three, each at least a twelfth.
    ///
    /// The pixels are clustered in CIELAB (k-means), and clusters of one name are one. What looks like most of the border is taken for background,
    /// as long as something is left without it. Skin, hair and furniture are not told from cloth: a crop says what is meant.
    public func dominantColors() -> [DominantColor] {
        let small = sampled()
        let colors = small.labPixels()
        let shown = small.foreground(of: colors)
        let clusters = Self.clusters(of: shown.isEmpty ? colors : shown)
        let total = Double(clusters.reduce(0) { $0 + $1.count })
        var named: [(color: FashionColor, sum: LabColor, count: Int)] = []
        for cluster in clusters {
            let name = FashionColor.nearest(to: cluster.center)
            let part = LabColor(
                l: cluster.center.l * Double(cluster.count), a: cluster.center.a * Double(cluster.count),
                b: cluster.center.b * Double(cluster.count))
            if let place = named.firstIndex(where: { $0.color == name }) {
                named[place].sum = LabColor(
                    l: named[place].sum.l + part.l, a: named[place].sum.a + part.a, b: named[place].sum.b + part.b)
                named[place].count += cluster.count
            } else {
                named.append((name, part, cluster.count))
            }
        }
        return named.map { entry in
            let count = Double(entry.count)
            return DominantColor(
                color: LabColor(l: entry.sum.l / count, a: entry.sum.a / count, b: entry.sum.b / count), name: entry.color.name,
                share: count / total)
        }.filter { $0.share >= Self.leastShare }.sorted { ($1.share, $0.name) < ($0.share, $1.name) }.prefix(3).map { $0 }
    }

    private static let side = 72
    private static let leastShare = 1.0 / 12
    /// ΔE within which a pixel counts as background.
    private static let backgroundReach = 9.0

    /// Every so many pixels: a resampled picture has, where two colours meet, a third that nothing in it has.
    private func sampled() -> RGBImage {
        let step = max(1, (max(width, height) + Self.side - 1) / Self.side)
        if step == 1 { return self }
        let (columns, rows) = ((width + step - 1) / step, (height + step - 1) / step)
        return withPixels { source in
            RGBImage(width: columns, height: rows) { target in
                for row in 0..<rows {
                    for column in 0..<columns {
                        (target + 3 * (row * columns + column)).update(
                            from: source + 3 * (row * step * width + column * step), count: 3)
                    }
                }
            }
        }
    }

    func labPixels() -> [LabColor] {
        stride(from: 0, to: pixels.count, by: 3).map { LabColor(red: pixels[$0], green: pixels[$0 + 1], blue: pixels[$0 + 2]) }
    }

    /// The colours that a picture's border has, those of at least an eighth of it, three at most.
    func backgroundColors(of colors: [LabColor]) -> [LabColor] {
        let border = border(of: colors)
        return Self.clusters(of: border).filter { $0.count * 8 >= border.count }.sorted { $0.count > $1.count }.prefix(3)
            .map(\.center)
    }

    private func border(of colors: [LabColor]) -> [LabColor] {
        var border: [LabColor] = []
        for x in 0..<width { border += [colors[x], colors[(height - 1) * width + x]] }
        for y in 0..<height { border += [colors[y * width], colors[y * width + width - 1]] }
        return border
    }

    /// The pixels that differ from the border, where the border is of one colour; otherwise all.
    private func foreground(of colors: [LabColor]) -> [LabColor] {
        let border = border(of: colors)
        func median(_ part: (LabColor) -> Double) -> Double { border.map(part).sorted()[border.count / 2] }
        let middle = LabColor(l: median(\.l), a: median(\.a), b: median(\.b))
        guard border.count(where: { $0.distance(to: middle) < Self.backgroundReach }) * 2 > border.count else { return colors }
        let shown = colors.filter { $0.distance(to: middle) >= Self.backgroundReach }
        return shown.count * 20 >= colors.count ? shown : colors
    }

    /// At most six clusters of Lloyd's algorithm. Each beginning is the colour farthest from those before: the same picture has the same clusters.
    private static func clusters(of colors: [LabColor]) -> [(center: LabColor, count: Int)] {
        var centers = [colors[colors.count / 2]]
        var nearest = colors.map { $0.distance(to: centers[0]) }
        while centers.count < 6 {
            guard let far = nearest.indices.max(by: { nearest[$0] < nearest[$1] }), nearest[far] > 6 else { break }
            centers.append(colors[far])
            for place in colors.indices { nearest[place] = min(nearest[place], colors[place].distance(to: colors[far])) }
        }
        var counts = [Int](repeating: 0, count: centers.count)
        for _ in 0..<10 {
            var sums = [(l: Double, a: Double, b: Double)](repeating: (0, 0, 0), count: centers.count)
            counts = [Int](repeating: 0, count: centers.count)
            for color in colors {
                let place = centers.indices.min { centers[$0].distance(to: color) < centers[$1].distance(to: color) } ?? 0
                sums[place] = (sums[place].l + color.l, sums[place].a + color.a, sums[place].b + color.b)
                counts[place] += 1
            }
            for place in centers.indices where counts[place] > 0 {
                let count = Double(counts[place])
                centers[place] = LabColor(l: sums[place].l / count, a: sums[place].a / count, b: sums[place].b / count)
            }
        }
        return zip(centers, counts).filter { $0.1 > 0 }.map { (center: $0.0, count: $0.1) }
    }
}
