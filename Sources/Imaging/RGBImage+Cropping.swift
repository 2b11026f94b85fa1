extension RGBImage {
    /// The rectangle whose top left pixel is (x, y). What lies outside of the picture is black, as in Pillow's `crop`.
    /// - Precondition: width and height are at least 1.
    public func cropped(x: Int, y: Int, width: Int, height: Int) -> RGBImage {
        placed(x: x, y: y, width: width, height: height, red: 0, green: 0, blue: 0)
    }

    /// A rectangle of the given size around the centre; a side that is too short is padded with black on both ends, as in torchvision.
    /// - Parameter rule: which way a centre between two pixels is rounded.
    /// - Precondition: width and height are at least 1.
    public func centerCropped(width: Int, height: Int, rule: CenterCropRule = .torchvision) -> RGBImage {
        cropped(
            x: rule.offset(of: width, in: self.width), y: rule.offset(of: height, in: self.height), width: width, height: height)
    }

    /// The picture in the middle of a square as long as its longer side. Where the margins differ by one, the right and the lower one is wider.
    public func paddedToSquare(red: UInt8, green: UInt8, blue: UInt8) -> RGBImage {
        let side = max(width, height)
        return placed(
            x: -((side - width) / 2), y: -((side - height) / 2), width: side, height: side, red: red, green: green, blue: blue)
    }

    private func placed(x: Int, y: Int, width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) -> RGBImage {
        precondition(width > 0 && height > 0, "a rectangle of \(width) x \(height) pixels is empty")
        if x == 0, y == 0, width == self.width, height == self.height { return self }
        let columns = max(x, 0)..<max(max(x, 0), min(x + width, self.width))
        return withPixels { source in
            RGBImage(width: width, height: height) { target in
                for row in 0..<height {
                    let line = target + 3 * width * row
                    let inside = (0..<self.height).contains(y + row) && !columns.isEmpty
                    if !inside || columns.count < width {
                        for column in 0..<width {
                            line[3 * column] = red
                            line[3 * column + 1] = green
                            line[3 * column + 2] = blue
                        }
                    }
                    guard inside else { continue }
                    (line + 3 * (columns.lowerBound - x)).update(
                        from: source + 3 * ((y + row) * self.width + columns.lowerBound), count: 3 * columns.count)
                }
            }
        }
    }
}

/// Where a centre crop begins when the margins cannot be equal.
public enum CenterCropRule: Sendable, CaseIterable {
    /// Half of the difference, rounded to the nearest even number: torchvision, open_clip and OpenAI's CLIP.
    case torchvision
    /// Half of the difference, rounded down: the image processors of transformers.
    case transformers

    /// The first pixel of the crop; negative where the crop is longer than the side.
    func offset(of crop: Int, in side: Int) -> Int {
        let difference = side - crop
        // Both libraries pad a short side first, by the smaller half on the left and above.
        guard difference > 0 else { return -(-difference / 2) }
        let half = difference / 2
        switch self {
        case .torchvision: return difference.isMultiple(of: 2) || half.isMultiple(of: 2) ? half : half + 1
        case .transformers: return half
        }
    }
}
