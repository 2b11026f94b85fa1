public import Imaging

/// Many pictures on one page.
public enum ContactSheet {
    /// Pictures in rows on white, each scaled to the cell's width; all have the proportions of the first.
    /// - Parameters:
    ///   - columns: at least 1.
    ///   - cellWidth: pixels, at least 1.
    ///   - gap: pixels of white around each picture.
    /// - Throws: `drawing` without a picture to lay out.
    public static func compose(
        _ pictures: [RGBImage], columns: Int, cellWidth: Int, gap: Int = 6
    ) throws(AtelierError) -> RGBImage {
        guard let first = pictures.first, columns > 0, cellWidth > 0 else { throw .drawing(reason: "a sheet needs pictures") }
        let cellHeight = max(1, first.height * cellWidth / first.width)
        let rows = (pictures.count + columns - 1) / columns
        let (width, height) = (columns * (cellWidth + gap) + gap, rows * (cellHeight + gap) + gap)
        var page = [UInt8](repeating: 255, count: width * height * 3)
        for (index, picture) in pictures.enumerated() {
            let cell = picture.resized(width: cellWidth, height: cellHeight, filter: .bicubic)
            let left = gap + index % columns * (cellWidth + gap)
            let top = gap + index / columns * (cellHeight + gap)
            for y in 0..<cellHeight {
                let target = ((top + y) * width + left) * 3
                page.replaceSubrange(
                    target..<(target + cellWidth * 3), with: cell.pixels[(y * cellWidth * 3)..<((y + 1) * cellWidth * 3)])
            }
        }
        do { return try RGBImage(width: width, height: height, pixels: page) } catch {
            throw .drawing(reason: String(describing: error))
        }
    }
}
