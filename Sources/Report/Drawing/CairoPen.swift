import CCairo
import Imaging

/// Draws into a picture, on a light ground.
///
/// Calls never fail: cairo remembers its first error, and `png` throws it.
final class CairoPen: Pen {
    private let surface: OpaquePointer
    private let context: OpaquePointer
    private let width: Int
    private let height: Int

    /// Sides of cairo's pictures end at 32,767.
    private static let longestSide = 32_000.0

    /// - Parameters:
    ///   - scale: pixels of the picture for one of the page; two are sharp in print and on fine screens.
    ///   - width, height: in pixels of a page.
    /// - Throws: `.drawing`.
    init(scale: Double = 2, width: Double, height: Double) throws(ReportError) {
        // A figure that would be too long is drawn smaller.
        let scale = min(scale, Self.longestSide / max(width, height, 1))
        self.width = max(1, Int((width * scale).rounded(.up)))
        self.height = max(1, Int((height * scale).rounded(.up)))
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(self.width), Int32(self.height)),
            let context = cairo_create(surface)
        else { throw .drawing(reason: "out of memory") }
        self.surface = surface
        self.context = context
        cairo_scale(context, scale, scale)
        cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
        use(.surface)
        cairo_paint(context)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    func line(_ points: [Point], _ ink: Ink, width: Double, dash: [Double]) {
        guard let first = points.first else { return }
        cairo_new_path(context)
        cairo_move_to(context, first.x, first.y)
        for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
        stroke(ink, width: width, dash: dash)
    }

    func fill(_ box: Rectangle, _ ink: Ink, radius: Double) {
        trace(box, radius: radius)
        use(ink)
        cairo_fill(context)
    }

    func frame(_ box: Rectangle, _ ink: Ink, width: Double, dash: [Double], radius: Double) {
        trace(box, radius: radius)
        stroke(ink, width: width, dash: dash)
    }

    func text(_ text: String, at: Point, size: Double, _ ink: Ink, _ anchor: Anchor, bold: Bool) {
        choose(size: size, bold: bold)
        let width = anchor == .start ? 0 : measured(text)
        use(ink)
        cairo_move_to(context, at.x - (anchor == .middle ? width / 2 : width), at.y)
        cairo_show_text(context, Self.plain(text))
    }

    /// How far a text reaches.
    func width(_ text: String, size: Double, bold: Bool) -> Double {
        choose(size: size, bold: bold)
        return measured(text)
    }

    /// The text, or as much of its beginning as fits, with an ellipsis.
    func fitted(_ text: String, size: Double, bold: Bool = false, to room: Double) -> String {
        if width(text, size: size, bold: bold) <= room { return text }
        var kept = text
        while !kept.isEmpty, width(kept + "…", size: size, bold: bold) > room { kept.removeLast() }
        return kept + "…"
    }

    /// A picture as large as fits in a box, in its middle.
    /// - Returns: where it lies.
    @discardableResult
    func picture(_ image: RGBImage, in box: Rectangle) -> Rectangle {
        let scale = min(box.width / Double(image.width), box.height / Double(image.height))
        let place = Rectangle(
            box.x + (box.width - Double(image.width) * scale) / 2, box.y + (box.height - Double(image.height) * scale) / 2,
            Double(image.width) * scale, Double(image.height) * scale)
        guard let source = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(image.width), Int32(image.height)) else {
            return place
        }
        defer { cairo_surface_destroy(source) }
        guard let data = cairo_image_surface_get_data(source) else { return place }
        let stride = Int(cairo_image_surface_get_stride(source))
        for y in 0..<image.height {
            let row = UnsafeMutableRawPointer(data + y * stride)
            for x in 0..<image.width {
                let pixel = 3 * (y * image.width + x)
                // One native-endian word per pixel.
                let word =
                    UInt32(image.pixels[pixel]) << 16 | UInt32(image.pixels[pixel + 1]) << 8 | UInt32(image.pixels[pixel + 2])
                row.storeBytes(of: word, toByteOffset: 4 * x, as: UInt32.self)
            }
        }
        cairo_surface_mark_dirty(source)
        cairo_save(context)
        cairo_translate(context, place.x, place.y)
        cairo_scale(context, scale, scale)
        cairo_set_source_surface(context, source, 0, 0)
        cairo_paint(context)
        cairo_restore(context)
        return place
    }

    /// The bytes of the picture as a PNG file.
    /// - Throws: `.drawing` with what cairo or the encoder could not do.
    func png() throws(ReportError) -> [UInt8] {
        cairo_surface_flush(surface)
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
            throw .drawing(reason: String(cString: cairo_status_to_string(status)))
        }
        let stride = Int(cairo_image_surface_get_stride(surface))
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            let row = UnsafeRawPointer(data + y * stride)
            for x in 0..<width {
                let word = row.load(fromByteOffset: 4 * x, as: UInt32.self)
                pixels.append(UInt8(truncatingIfNeeded: word >> 16))
                pixels.append(UInt8(truncatingIfNeeded: word >> 8))
                pixels.append(UInt8(truncatingIfNeeded: word))
            }
        }
        do {
            return try ImageEncoder.png(RGBImage(width: width, height: height, pixels: pixels))
        } catch {
            throw .drawing(reason: "\(error)")
        }
    }

    private func trace(_ box: Rectangle, radius: Double) {
        let radius = max(0, min(radius, box.width / 2, box.height / 2))
        cairo_new_path(context)
        if radius == 0 {
            cairo_rectangle(context, box.x, box.y, box.width, box.height)
            return
        }
        let (right, bottom) = (box.x + box.width, box.y + box.height)
        cairo_arc(context, right - radius, box.y + radius, radius, -.pi / 2, 0)
        cairo_arc(context, right - radius, bottom - radius, radius, 0, .pi / 2)
        cairo_arc(context, box.x + radius, bottom - radius, radius, .pi / 2, .pi)
        cairo_arc(context, box.x + radius, box.y + radius, radius, .pi, 3 * .pi / 2)
        cairo_close_path(context)
    }

    private func stroke(_ ink: Ink, width: Double, dash: [Double]) {
        use(ink)
        cairo_set_line_width(context, width)
        cairo_set_dash(context, dash, Int32(dash.count), 0)
        cairo_stroke(context)
    }

    private func use(_ ink: Ink) {
        let (red, green, blue) = ink.light
        cairo_set_source_rgb(context, Double(red) / 255, Double(green) / 255, Double(blue) / 255)
    }

    private func choose(size: Double, bold: Bool) {
        cairo_select_font_face(
            context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
    }

    private func measured(_ text: String) -> Double {
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, Self.plain(text), &extents)
        return extents.x_advance
    }

    /// Control characters have no picture, and cairo's texts end at the first zero.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }
}
