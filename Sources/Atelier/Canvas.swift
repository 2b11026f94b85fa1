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
    var resolution: Double
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

    /// The smallest rectangle around everything that was drawn visibly, in pixels of the picture under a light; `nil` where nothing was.
    func inkBounds(_ light: Light = Light()) throws(AtelierError) -> PixelRectangle? {
        let (data, stride) = try finished()
        var (left, top, right, bottom) = (width, height, -1, -1)
        for y in 0..<height {
            let row = UnsafeRawPointer(data + y * stride)
            let lens = Lens(light, row: y, width: width, height: height)
            for x in 0..<width where row.load(fromByteOffset: x * 4, as: UInt32.self) >> 24 >= 64 {
                let shown = lens.shown(x)
                guard shown.upperBound >= 0, shown.lowerBound < width else { continue }
                (left, right) = (min(left, max(0, shown.lowerBound)), max(right, min(width - 1, shown.upperBound)))
                (top, bottom) = (min(top, y), max(bottom, y))
            }
        }
        return right < 0 ? nil : PixelRectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
    }

    private func finished() throws(AtelierError) -> (pixels: UnsafeMutablePointer<UInt8>, stride: Int) {
        cairo_surface_flush(surface)
        let status = cairo_status(context)
        guard status == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
            throw .drawing(reason: String(cString: cairo_status_to_string(status)))
        }
        return (data, Int(cairo_image_surface_get_stride(surface)))
    }

    /// The pixels as a camera under this light would record them; transparent parts are black.
    /// - Throws: `drawing` with what cairo could not do.
    func image(_ light: Light = Light()) throws(AtelierError) -> RGBImage {
        let (data, stride) = try finished()
        let (red, green, blue) = (light.curve(0), light.curve(1), light.curve(2))
        // What a lens takes from the light towards the corners, in 1/65536.
        func falloff(_ count: Int) -> [Int] {
            (0..<count).map { place in
                let share = (Double(place) + 0.5) / Double(count) * 2 - 1
                return Int(light.vignette * share * share * 32768)
            }
        }
        let (across, down) = (falloff(width), falloff(height))
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            var noise = light.grainSeed
            var out = 0
            for y in 0..<height {
                let row = UnsafeRawPointer(data + y * stride)
                let lens = Lens(light, row: y, width: width, height: height)
                for x in 0..<width {
                    // ARGB32 is one native-endian word per pixel, so shifts are right on any machine.
                    let word = lens.isPlain ? row.load(fromByteOffset: x * 4, as: UInt32.self) : lens.word(x, in: row)
                    noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let grain = light.grain == 0 ? 0 : (Int((noise >> 33) & 0xFFFF) * light.grain) >> 15
                    let shift = grain - light.grain
                    let share = 65536 - across[x] - down[y]
                    buffer[out] = UInt8(clamping: (Int(red[Int(word >> 16 & 255)]) * share) >> 16 + shift)
                    buffer[out + 1] = UInt8(clamping: (Int(green[Int(word >> 8 & 255)]) * share) >> 16 + shift)
                    buffer[out + 2] = UInt8(clamping: (Int(blue[Int(word & 255)]) * share) >> 16 + shift)
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

/// Where a row of the picture comes from: a phone held at a slant shows the top wider, or narrower, than the bottom.
private struct Lens {
    /// How many pixels of the drawing a pixel of the picture moves on, in 1/65536, and where the row begins.
    private let step: Int
    private let start: Int
    private let width: Int

    init(_ light: Light, row: Int, width: Int, height: Int) {
        self.width = width
        let share = (Double(row) + 0.5) / Double(height) - 0.5
        // Never wider than the drawing, which ends there.
        let scale = 1 - abs(light.keystone) / 2 + light.keystone * share
        step = Int(scale * 65536)
        start = Int((1 - scale) * Double(width - 1) / 2 * 65536)
    }

    var isPlain: Bool { step == 65536 }

    /// The mean of the two neighbours, each weighted by its nearness.
    func word(_ x: Int, in row: UnsafeRawPointer) -> UInt32 {
        let place = start + x * step
        let first = min(width - 1, place >> 16)
        let one = row.load(fromByteOffset: first * 4, as: UInt32.self)
        let two = row.load(fromByteOffset: min(width - 1, first + 1) * 4, as: UInt32.self)
        let share = UInt32(place >> 8 & 255)
        // Two channels at a time.
        let even = ((one & 0xFF00FF) &* (256 - share) &+ (two & 0xFF00FF) &* share) >> 8 & 0xFF00FF
        let green = ((one >> 8 & 0xFF) &* (256 - share) &+ (two >> 8 & 0xFF) &* share) >> 8 & 0xFF
        return even | green << 8
    }

    /// The pixels of the picture that show something of a pixel of the drawing.
    func shown(_ x: Int) -> ClosedRange<Int> {
        guard !isPlain else { return x...x }
        let middle = (x << 16 - start) / step
        return (middle - 1)...(middle + 1)
    }
}

/// A part of a picture, in its pixels.
struct PixelRectangle: Sendable, Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
}

/// The light of one picture, and the camera that records it.
struct Light {
    /// Factor of the brightness, about 1.
    var exposure = 1.0
    /// -1 (cold) ... 1 (warm).
    var warmth = 0.0
    /// -1 (green) ... 1 (purple).
    var tint = 0.0
    /// Factor of the distance from a middle grey.
    var contrast = 1.0
    /// How much darker the corners are, in 0 ... 1.
    var vignette = 0.0
    /// How much wider the drawing is shown at one end than at the other, as a share of its width; above 0 the top is wider.
    var keystone = 0.0
    /// Levels of noise to each side, of 255.
    var grain = 0
    var grainSeed: UInt64 = 0

    /// What each of the 256 levels of a channel (0 red, 1 green, 2 blue) becomes.
    fileprivate func curve(_ channel: Int) -> [UInt8] {
        let balance = [1 + 0.06 * warmth + 0.03 * tint, 1 - 0.04 * tint, 1 - 0.08 * warmth + 0.03 * tint][channel]
        return (0...255).map { level in
            let contrasted = 118 + (Double(level) - 118) * contrast
            return UInt8(clamping: Int((contrasted * exposure * balance).rounded()))
        }
    }
}
