/// Boxes by row, in the frame of 256 × 256 pixels that the official files use, with the line that gives each.
public struct FrameBoxes: Sendable {
    let file: String?
    var boxes: [Int: (box: PixelBox, line: Int)] = [:]

    /// The rows that have a box.
    public var rows: [Int] { boxes.keys.sorted() }
}

extension OfficialSet {
    /// Writes the boxes into the column `box`, in the pixels of the picture as it lies on the disk.
    ///
    /// The published pictures of 256 pixels are the originals scaled to fit a square, in its middle; so is the frame for a larger
    /// picture, which need not be square itself. What reaches beyond the picture is cut off; a box that lies outside is told.
    /// - Parameter size: the upright size of a row's picture, by the row's index; `nil` where it can't be read.
    public mutating func placeBoxes(_ boxes: FrameBoxes, size: (Int) -> PictureSize?) {
        for row in boxes.rows where rows.indices.contains(row) {
            guard let (box, line) = boxes.boxes[row], let size = size(row) else { continue }
            let scale = Self.inShopFrame / Double(max(size.width, size.height))
            let left = (Self.inShopFrame - Double(size.width) * scale) / 2
            let top = (Self.inShopFrame - Double(size.height) * scale) / 2
            let placed = PixelBox(
                (box.x1 - left) / scale, (box.y1 - top) / scale, (box.x2 - left) / scale, (box.y2 - top) / scale)
            guard let pixels = placed.pixels(in: size) else {
                report(
                    boxes.file ?? source, line,
                    "the box \(box) of \(rows[row].name) lies outside of its picture (\(size.width) × \(size.height) pixels); the row is kept without a box"
                )
                continue
            }
            rows[row].fields["box"] =
                PixelBox(
                    Double(pixels.x), Double(pixels.y), Double(pixels.x + pixels.width), Double(pixels.y + pixels.height)
                ).description
        }
    }
}
