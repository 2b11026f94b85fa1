import CCairo
import Imaging

/// What a shape is filled with.
enum Paint {
    case ink(Ink)
    /// Colours at shares 0 ... 1 of the way between two points.
    case linear(Point, Point, [(Double, Ink)])
    case radial(Point, radius: Double, [(Double, Ink)])
    case tile(Tile)
}

/// A small drawing that repeats without seams.
struct Tile {
    let canvas: Canvas
    /// Pixels of the tile per unit of the drawing that it fills.
    let resolution: Double
    /// How the tile lies on the cloth.
    var origin = Point(0, 0)
    /// Degrees.
    var angle = 0.0
    /// How much narrower a turned body shows it, in 0 ... 1.
    var squeeze = 1.0
}

/// A surface of cairo: the only place that knows cairo.
///
/// Calls never fail: cairo remembers its first error, and `image` throws it.
final class Canvas {
    let width: Int
    let height: Int
    private let surface: OpaquePointer
    private let context: OpaquePointer

    init(width: Int, height: Int) throws(AtelierError) {
        guard let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height)),
            let context = cairo_create(surface)
        else { throw .drawing(reason: "out of memory") }
        self.width = width
        self.height = height
        self.surface = surface
        self.context = context
        cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    // MARK: Drawing

    func fill(_ outline: Outline, _ paints: Paint...) {
        trace(outline)
        for paint in paints {
            use(paint)
            cairo_fill_preserve(context)
        }
        cairo_new_path(context)
    }

    func fill(_ outline: Outline, _ ink: Ink) { fill(outline, .ink(ink)) }

    /// - Parameter dash: lengths of stroke and gap; none for a whole line.
    func stroke(_ outline: Outline, _ ink: Ink, width: Double, dash: [Double] = []) {
        trace(outline)
        use(.ink(ink))
        cairo_set_line_width(context, width)
        cairo_set_dash(context, dash, Int32(dash.count), 0)
        cairo_stroke(context)
    }

    /// Covers all of the canvas, or of the clip.
    func paint(_ paint: Paint) {
        use(paint)
        cairo_paint(context)
    }

    /// Draws inside a shape alone.
    func clipped(to outline: Outline, _ body: () -> Void) {
        cairo_save(context)
        trace(outline)
        cairo_clip(context)
        body()
        cairo_restore(context)
    }

    /// Draws with the origin at a point, turned (radians) and scaled about it.
    func moved(to origin: Point, angle: Double = 0, scale: Double = 1, squeeze: Double = 1, _ body: () -> Void) {
        cairo_save(context)
        cairo_translate(context, origin.x, origin.y)
        cairo_rotate(context, angle)
        cairo_scale(context, scale * squeeze, scale)
        body()
        cairo_restore(context)
    }

    private func trace(_ outline: Outline) {
        cairo_new_path(context)
        for step in outline.steps {
            switch step {
            case .move(let point): cairo_move_to(context, point.x, point.y)
            case .line(let point): cairo_line_to(context, point.x, point.y)
            case .curve(let one, let two, let end): cairo_curve_to(context, one.x, one.y, two.x, two.y, end.x, end.y)
            case .close: cairo_close_path(context)
            }
        }
    }

    private func use(_ paint: Paint) {
        switch paint {
        case .ink(let ink):
            cairo_set_source_rgba(context, ink.red, ink.green, ink.blue, ink.alpha)
        case .linear(let from, let to, let stops):
            use(cairo_pattern_create_linear(from.x, from.y, to.x, to.y), stops)
        case .radial(let center, let radius, let stops):
            use(cairo_pattern_create_radial(center.x, center.y, 0, center.x, center.y, radius), stops)
        case .tile(let tile):
            let pattern = cairo_pattern_create_for_surface(tile.canvas.surface)
            defer { cairo_pattern_destroy(pattern) }
            cairo_pattern_set_extend(pattern, CAIRO_EXTEND_REPEAT)
            cairo_pattern_set_filter(pattern, CAIRO_FILTER_BILINEAR)
            var matrix = cairo_matrix_t()
            cairo_matrix_init_scale(&matrix, tile.resolution, tile.resolution)
            cairo_matrix_rotate(&matrix, -tile.angle * .pi / 180)
            cairo_matrix_scale(&matrix, 1 / tile.squeeze, 1)
            cairo_matrix_translate(&matrix, -tile.origin.x, -tile.origin.y)
            cairo_pattern_set_matrix(pattern, &matrix)
            cairo_set_source(context, pattern)
        }
    }

    private func use(_ pattern: OpaquePointer?, _ stops: [(Double, Ink)]) {
        for (offset, ink) in stops { cairo_pattern_add_color_stop_rgba(pattern, offset, ink.red, ink.green, ink.blue, ink.alpha) }
        cairo_set_source(context, pattern)
        cairo_pattern_destroy(pattern)
    }

    // MARK: The picture

    /// The smallest rectangle around everything that was drawn visibly, in pixels; `nil` where nothing was.
    func inkBounds() throws(AtelierError) -> PixelRectangle? {
        cairo_surface_flush(surface)
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
            throw .drawing(reason: String(cString: cairo_status_to_string(status)))
        }
        let stride = Int(cairo_image_surface_get_stride(surface))
        var (left, top, right, bottom) = (width, height, -1, -1)
        for y in 0..<height {
            let row = UnsafeRawPointer(data + y * stride)
            for x in 0..<width where row.load(fromByteOffset: x * 4, as: UInt32.self) >> 24 >= 64 {
                (left, right) = (min(left, x), max(right, x))
                (top, bottom) = (min(top, y), max(bottom, y))
            }
        }
        return right < 0 ? nil : PixelRectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
    }

    /// The pixels as a camera under this light would record them; transparent parts are black.
    /// - Throws: `drawing` with what cairo could not do.
    func image(_ light: Light = Light()) throws(AtelierError) -> RGBImage {
        cairo_surface_flush(surface)
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
            throw .drawing(reason: String(cString: cairo_status_to_string(status)))
        }
        let stride = Int(cairo_image_surface_get_stride(surface))
        let (red, green, blue) = (light.curve(0), light.curve(1), light.curve(2))
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            var noise = light.grainSeed
            var out = 0
            for y in 0..<height {
                let row = UnsafeRawPointer(data + y * stride)
                for x in 0..<width {
                    // ARGB32 is one native-endian word per pixel, so shifts are right on any machine.
                    let word = row.load(fromByteOffset: x * 4, as: UInt32.self)
                    noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let grain = light.grain == 0 ? 0 : Int((noise >> 33) & 0xFFFF) * light.grain >> 15
                    let shift = grain - light.grain
                    buffer[out] = UInt8(clamping: Int(red[Int(word >> 16 & 255)]) + shift)
                    buffer[out + 1] = UInt8(clamping: Int(green[Int(word >> 8 & 255)]) + shift)
                    buffer[out + 2] = UInt8(clamping: Int(blue[Int(word & 255)]) + shift)
                    out += 3
                }
            }
            count = out
        }
        do { return try RGBImage(width: width, height: height, pixels: pixels) } catch {
            throw .drawing(reason: String(describing: error))
        }
    }
}

/// A part of a picture, in its pixels.
struct PixelRectangle: Sendable, Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
}

/// The light of one picture, as it changes all colours alike.
struct Light {
    /// Factor of the brightness, about 1.
    var exposure = 1.0
    /// -1 (cold) ... 1 (warm).
    var warmth = 0.0
    /// Levels of noise to each side, of 255.
    var grain = 0
    var grainSeed: UInt64 = 0

    /// What each of the 256 levels of a channel (0 red, 1 green, 2 blue) becomes.
    fileprivate func curve(_ channel: Int) -> [UInt8] {
        let tint = [1 + 0.06 * warmth, 1, 1 - 0.08 * warmth][channel]
        return (0...255).map { UInt8(clamping: Int((Double($0) * exposure * tint).rounded())) }
    }
}
