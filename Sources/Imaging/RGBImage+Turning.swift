extension RGBImage {
    /// Undoes an EXIF orientation.
    /// - Parameter orientation: 1...8; 1 gives the picture itself.
    func upright(from orientation: Int) -> RGBImage {
        let w = width
        let h = height
        // Where the pixel (x, y) of the result lies in the stored picture, as start + x · right + y · down, counted in pixels.
        let (start, right, down): (Int, Int, Int)
        switch orientation {
        case 2: (start, right, down) = (w - 1, -1, w)
        case 3: (start, right, down) = (w * h - 1, -1, -w)
        case 4: (start, right, down) = (w * (h - 1), 1, -w)
        case 5: (start, right, down) = (0, w, 1)
        case 6: (start, right, down) = (w * (h - 1), -w, 1)
        case 7: (start, right, down) = (w * h - 1, -w, -1)
        case 8: (start, right, down) = (w - 1, w, -1)
        default: return self
        }
        let turned = orientation >= 5
        return gathered(width: turned ? h : w, height: turned ? w : h, start: start, right: right, down: down)
    }

    /// Mirrored left to right.
    public func flippedHorizontally() -> RGBImage { upright(from: 2) }

    /// The picture whose pixel (x, y) is the one at start + x · right + y · down of this one.
    private func gathered(width: Int, height: Int, start: Int, right: Int, down: Int) -> RGBImage {
        // By tiles, so that a quarter turn reads cache lines it has just read instead of one line per pixel.
        let tile = 32
        return withPixels { source in
            RGBImage(width: width, height: height) { target in
                for top in stride(from: 0, to: height, by: tile) {
                    for left in stride(from: 0, to: width, by: tile) {
                        for y in top..<min(top + tile, height) {
                            var from = source + 3 * (start + left * right + y * down)
                            var to = target + 3 * (y * width + left)
                            for _ in left..<min(left + tile, width) {
                                to[0] = from[0]
                                to[1] = from[1]
                                to[2] = from[2]
                                to += 3
                                from += 3 * right
                            }
                        }
                    }
                }
            }
        }
    }
}
