/// The boxes of a HEIC or AVIF that tell what its primary picture is: ISO/IEC 23008-12 over 14496-12. No pixel is decoded and libheif is not asked: what
/// a decode will cost is judged before a library of that size sees the file.
///
/// Checked here, since libheif's versions differ in what they check: that all data lie in the file, that no tile or layer is coded larger than the file
/// says it is, and that a layer of alpha has the size of its picture.
enum HEIFHeader {
    /// A coded picture has padding up to the largest block, 64 in HEVC and 128 in AV1.
    private static let maxPadding = 128

    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        // Until the item itself has told, errors speak of what the brands say.
        let format: ImageFormat = FileKind(of: bytes) == .picture(.avif) ? .avif : .heic
        let container = try HEIFContainer(bytes, format)
        guard let primary = container.primary, let item = container.items[primary] else {
            throw container.isSequence
                ? .unsupportedKind(format, reason: "a film without a still picture")
                : .broken(format, reason: "it has no primary picture")
        }
        // Each byte belongs to one picture, and so is looked at once; a few are forgiven, such as a tile that is named twice.
        var budget = 2 * bytes.count
        let whole = try layer(container, primary, item, format, &budget)
        var layers = [whole]
        for (id, other) in container.items.sorted(by: { $0.key < $1.key })
        where id != primary && container.isAlpha(id, of: primary) {
            let alpha = try layer(container, id, other, format, &budget)
            guard alpha.width == whole.width, alpha.height == whole.height else {
                throw .unsupportedKind(
                    whole.format,
                    reason: "its alpha is \(alpha.width) x \(alpha.height), the picture \(whole.width) x \(whole.height)")
            }
            layers.append(alpha)
        }
        let (width, height) = try container.transformed(item, width: whole.width, height: whole.height)
        let pixels = layers.map(\.codedPixels).reduce(0) { $0 &+ $1 }
        let perPixel = bytesAPixel(isDeep: layers.contains(where: \.isDeep), hasAlpha: layers.count > 1)
        let colour = container.colour(of: item)
        return ImageHeader(
            format: whole.format, width: width, height: height, orientation: 1, hasAlpha: layers.count > 1,
            colourHint: colour.profile.flatMap { ICCProfile.hint($0.prefix(OrientationSources.maxBytes)) } ?? colour.hint,
            cost: ImageHeader.Cost(
                scans: 1, samples: 3 &* pixels, passes: "coded pictures",
                workingBytes: perPixel &* whole.codedPixels,
                largestArea: layers.map(\.largestArea).max() ?? 0))
    }

    /// What libheif 1.15 and its decoders hold at most at a time beside the result: the decoder's frame, a copy of it, planes of red, green and blue, a
    /// turned copy, interleaved samples. Taken from the peak memory of a process that decodes 12 megapixels: 5 to 11.5 bytes a pixel in 8 bits (4:2:0 in
    /// HEVC the least, 4:4:4 in AV1 the most), 11.5 to 24 in 10.
    private static func bytesAPixel(isDeep: Bool, hasAlpha: Bool) -> Int { (isDeep ? 25 : 12) + (hasAlpha ? 4 : 0) }

    /// A picture of its own: the primary one, or one of alpha.
    private struct Layer {
        let format: ImageFormat
        let width: Int
        let height: Int
        /// Of all tiles together.
        let codedPixels: Int
        /// Of one tile, or of all that they are put together to.
        let largestArea: Int
        let isDeep: Bool
    }

    private static func layer(
        _ container: HEIFContainer, _ id: Int, _ item: HEIFContainer.Item, _ format: ImageFormat, _ budget: inout Int
    ) throws(ImageError) -> Layer {
        guard let size = container.size(of: item) else { throw .broken(format, reason: "its picture has no size") }
        // Nothing that is multiplied below may overflow; more than any limit lets in.
        guard size.width > 0, size.height > 0, size.width < 1 << 28, size.height < 1 << 28 else {
            throw .broken(format, reason: "its size is \(size.width) x \(size.height)")
        }
        if item.kind != "grid" {
            let coded = try codedPicture(container, item, says: size, format, &budget)
            return Layer(
                format: coded.format, width: size.width, height: size.height, codedPixels: coded.pixels,
                largestArea: coded.pixels,
                isDeep: coded.isDeep)
        }
        let tiles = container.references[HEIFContainer.Reference(from: id, kind: "dimg")] ?? []
        let grid = try container.grid(item)
        guard grid.width == size.width, grid.height == size.height, tiles.count == grid.rows * grid.columns,
            let first = tiles.first,
            let sample = container.items[first].flatMap(container.size)
        else { throw .broken(format, reason: "its tiles do not make its picture") }
        // All tiles have one size, and cover the picture with less than one row or column to spare.
        guard sample.width > 0, sample.height > 0, sample.width < 1 << 28, sample.height < 1 << 28,
            (grid.columns - 1) * sample.width < size.width, size.width <= grid.columns * sample.width,
            (grid.rows - 1) * sample.height < size.height, size.height <= grid.rows * sample.height
        else { throw .broken(format, reason: "its tiles do not make its picture") }
        var known: [Int: Coded] = [:]
        var pixels = 0
        for id in tiles {
            guard let tile = container.items[id], let own = container.size(of: tile), own == sample else {
                throw .broken(format, reason: "its tiles do not make its picture")
            }
            if known[id] == nil { known[id] = try codedPicture(container, tile, says: own, format, &budget) }
            pixels &+= known[id]?.pixels ?? 0
        }
        guard let any = known[first] else { throw .broken(format, reason: "it has no tile") }
        return Layer(
            format: any.format, width: size.width, height: size.height, codedPixels: max(pixels, size.width &* size.height),
            largestArea: max(known.values.map(\.pixels).max() ?? 0, size.width &* size.height),
            isDeep: known.values.contains(where: \.isDeep))
    }

    private struct Coded {
        let format: ImageFormat
        let pixels: Int
        let isDeep: Bool
    }

    /// One picture of a codec, whose own headers must not give another size than the container does.
    private static func codedPicture(
        _ container: HEIFContainer, _ item: HEIFContainer.Item, says size: HEIFContainer.Size, _ format: ImageFormat,
        _ budget: inout Int
    ) throws(ImageError) -> Coded {
        let data = try container.data(of: item)
        budget -= data.reduce(0) { $0 + $1.count }
        guard budget >= 0 else { throw .broken(format, reason: "its pictures share their data") }
        let format: ImageFormat
        let headers: [CodedHeader]
        switch item.kind {
        case "hvc1":
            format = .heic
            headers = container.property("hvcC", of: item).map { CodedHeader.hevc(configuration: $0, data) } ?? []
        case "av01":
            format = .avif
            headers = container.property("av1C", of: item).map { CodedHeader.av1(configuration: $0, data) } ?? []
        default:
            let names = [
                "iovl": "an overlay of pictures", "iden": "a picture derived from another", "avc1": "H.264", "vvc1": "H.266",
            ]
            throw .unsupportedKind(
                container.format, reason: names[item.kind] ?? "its picture is of the kind \(item.kind.debugDescription)")
        }
        guard !headers.isEmpty else { throw .broken(format, reason: "its coded picture has no header") }
        var pixels = 0
        for header in headers {
            guard header.shownWidth >= size.width, header.shownHeight >= size.height, header.width <= size.width + maxPadding,
                header.height <= size.height + maxPadding
            else {
                throw .broken(
                    format,
                    reason:
                        "it is coded with \(header.width) x \(header.height) pixels, where it says \(size.width) x \(size.height)"
                )
            }
            pixels = max(pixels, header.possiblePixels)
        }
        return Coded(format: format, pixels: pixels, isDeep: headers.contains { $0.bits > 8 })
    }
}
