public import Imaging

/// Takes the pictures: puts garment, body, light and background together.
public enum Studio {
    /// Draws a picture. It depends on the seed and the shot alone, so pictures can be drawn in any order and on any thread.
    /// - Parameters:
    ///   - width: pixels, at least 1; the height is a third more.
    /// - Throws: `AtelierError.drawing` if memory is short.
    public static func draw(_ shot: Shot, seed: UInt64, width: Int = 384) throws(AtelierError) -> RGBImage {
        let picture = try Picture(shot, seed: seed, width: width)
        try picture.draw()
        return try picture.canvas.image(picture.scene.light)
    }

    /// Where the garment is in that picture, as far as it reaches into it, whatever arms and hair hide of it.
    /// - Throws: `AtelierError.drawing` if memory is short.
    static func garmentBounds(_ shot: Shot, seed: UInt64, width: Int) throws(AtelierError) -> PixelRectangle? {
        let picture = try Picture(shot, seed: seed, width: width)
        picture.drawGarmentAlone()
        return try picture.canvas.inkBounds(picture.scene.light)
    }
}

/// One picture under way.
private struct Picture {
    private enum Subject {
        case clothes(Dressed)
        case shoes(Shoes)
        case bag(Bag)
    }

    let canvas: Canvas
    let scene: Scene
    private let subject: Subject
    private let frame: Frame

    init(_ shot: Shot, seed: UInt64, width: Int) throws(AtelierError) {
        var dice = Dice(seed: seed, 3, shot.garment.index, shot.colorIndex, shot.viewIndex)
        canvas = try Canvas(width: width, height: (width * 4 + 2) / 3)
        scene = Scene(shot, &dice)
        let size = Point(Double(canvas.width), Double(canvas.height))
        let light = dice.sign()
        switch shot.garment.design.kind {
        case .shoes:
            let look = Shoes.look(shot.view, shot.garment.design.silhouette, &dice)
            frame = Frame(Shoes.extent(look, shot.garment.design.silhouette), shot, scene, size, &dice)
            subject = .shoes(
                Shoes(
                    hide: try Hide(canvas: canvas, garment: shot.garment, swatch: shot.color, scale: frame.scale, light: light),
                    look: look, isMirrored: dice.chance(0.5), splay: dice.between(-4, 14)))
        case .bag:
            let hangs = shot.presentation == .hanger
            frame = Frame(Bag.extent(shot.garment, hangs: hangs), shot, scene, size, &dice)
            subject = .bag(
                Bag(
                    hide: try Hide(canvas: canvas, garment: shot.garment, swatch: shot.color, scale: frame.scale, light: light),
                    view: shot.view, hangs: hangs, side: dice.sign()))
        default:
            let cut = Cut(shot.garment)
            let crumple = scene.isSnapshot ? dice.between(0.3, 1) : dice.between(0, 0.25)
            let stance = Stance(
                shot.presentation, view: shot.view, wearer: shot.garment.design.wearer, shoulder: cut.shoulder, crumple: crumple,
                &dice)
            frame = Frame(shot, cut, stance, scene, size, &dice)
            subject = .clothes(try Dressed(shot, stance, canvas, scale: frame.scale, &dice))
        }
    }

    func draw() throws(AtelierError) {
        try scene.draw(on: canvas, floor: frame.floor)
        canvas.moved(to: frame.origin, angle: frame.tilt, scale: frame.scale) {
            switch subject {
            case .clothes(let clothes): clothes.draw()
            case .shoes(let shoes): shoes.draw()
            case .bag(let bag): bag.draw()
            }
        }
        scene.drawLight(on: canvas)
    }

    /// On nothing, without a body.
    func drawGarmentAlone() {
        canvas.moved(to: frame.origin, angle: frame.tilt, scale: frame.scale) {
            switch subject {
            case .clothes(let clothes): clothes.drawGarment()
            case .shoes(let shoes): shoes.draw()
            case .bag(let bag): bag.draw()
            }
        }
    }
}

/// Clothes on whatever holds them: a person, a dummy, a hanger, the floor.
private struct Dressed {
    private let canvas: Canvas
    private let shot: Shot
    private let stance: Stance
    private let figure: Figure
    private let tailor: Tailor
    /// What is worn below a top, or above a skirt: no part of the garment, always plain.
    private let companion: Tailor?

    init(_ shot: Shot, _ stance: Stance, _ canvas: Canvas, scale: Double, _ dice: inout Dice) throws(AtelierError) {
        self.shot = shot
        self.stance = stance
        self.canvas = canvas
        figure = Figure(stance, &dice)
        let depth = dice.between(0.65, 1.3)
        tailor = try Tailor(
            canvas: canvas, garment: shot.garment, swatch: shot.color, stance: stance, scale: scale, depth: depth)
        companion = try Self.companion(of: shot, stance, canvas, scale: scale, &dice)
    }

    private static func companion(
        of shot: Shot, _ stance: Stance, _ canvas: Canvas, scale: Double, _ dice: inout Dice
    ) throws(AtelierError) -> Tailor? {
        let kind = shot.garment.design.kind
        guard kind != .dress, stance.presentation == .worn else { return nil }
        let isUpper = !kind.isUpper
        let wearer = shot.garment.design.wearer
        let design =
            isUpper
            ? Design(
                wearer: wearer, silhouette: wearer == .women ? .crop : .tee, neckline: dice.pick([.crew, .scoop]),
                sleeve: dice.pick(wearer == .women ? [.short, .long, .none] : [.short, .long]), length: .cropped, pattern: .solid,
                details: [])
            : Design(
                wearer: wearer, silhouette: wearer == .women ? dice.pick([.slim, .straight]) : .straight, neckline: .none,
                sleeve: .none, length: .full, pattern: .solid,
                details: [])
        var garment = shot.garment
        garment.design = design
        garment.fit = Fit(flare: 0, waist: 0, drop: 0, sleeve: 0, neck: 0)
        let swatch: Swatch = dice.pick(
            isUpper ? [.white, .white, .grey, .black, .beige] : [.black, .navy, .grey, .beige, .black])
        return try Tailor(canvas: canvas, garment: garment, swatch: swatch, stance: stance, scale: scale, depth: 1)
    }

    func draw() { if stance.isBody { drawBody() } else { drawAlone() } }

    /// The garment and nothing else.
    func drawGarment() {
        tailor.drawInside()
        tailor.drawBody()
        if isUpper { for side in [-1.0, 1] { tailor.drawSleeve(arm(side), side: side) } }
    }

    /// Where the trousers end, this garment or the companion; at the hip where there are none.
    private var trouserHem: Double {
        let trousers = [tailor, companion].compactMap(\.self).first { $0.design.kind.hasLegs }
        return trousers.map { Legs(design: $0.design, fit: $0.garment.fit, stance: stance).bottom } ?? 380
    }

    private var isUpper: Bool { shot.garment.design.kind.isUpper }
    /// What covers the arms.
    private var sleeved: Tailor? { isUpper ? tailor : companion }

    // MARK: On a body

    private func drawBody() {
        let turned = abs(stance.turn) > 0.3
        let (far, near) = stance.turn > 0 ? (1.0, -1.0) : (-1.0, 1.0)
        let hasArms = stance.presentation == .worn
        let covered = sleeved?.hasSleeve ?? false
        let floor = Point(stance.light * -26, stance.build.height(796))
        canvas.fill(
            Outline.ellipse(floor, 150, 24),
            .radial(floor, radius: 150, [(0, Ink.shade.opacity(0.42)), (0.5, Ink.shade.opacity(0.2)), (1, Ink.shade.opacity(0))]))
        figure.drawBackHair(on: canvas)
        if turned { drawArm(far, hasArms: hasArms, from: 0) }
        tailor.drawInside()
        if hasArms { figure.drawLegs(below: trouserHem - 24, on: canvas) } else { figure.drawStand(on: canvas) }
        figure.drawTorso(on: canvas)
        // Bare arms hang behind the cloth of the bodice, but their hands before the skirt.
        if hasArms, !covered {
            for side in turned ? [near] : [-1.0, 1] { figure.drawArm(arm(side), from: 0, on: canvas) }
        }
        companion?.drawInside()
        companion?.drawBody()
        tailor.drawBody()
        for side in turned ? [near] : [-1.0, 1] { drawArm(side, hasArms: hasArms, from: covered ? 0 : 0.56) }
        figure.drawHead(on: canvas)
    }

    private func arm(_ side: Double) -> Arm { side < 0 ? stance.leftArm : stance.rightArm }

    private func drawArm(_ side: Double, hasArms: Bool, from start: Double) {
        if hasArms {
            // Under a sleeve the arm begins below the shoulder: above, its skin would show over the bodice.
            let isUnderCloth = sleeved?.hasSleeve ?? false && sleeved?.design.neckline != .offShoulder
            figure.drawArm(arm(side), from: isUnderCloth ? 0.1 : start, on: canvas)
        }
        sleeved?.drawSleeve(arm(side), side: side)
    }

    // MARK: Without one

    private func drawAlone() {
        let soft = shot.presentation == .flat ? 5.0 : 9
        // No blur in cairo: many faint copies make the edge of a shadow.
        let silhouette = tailor.bodyOutline.mapped(tailor.place)
        for step in 1...5 {
            let reach = Double(step) * soft * 0.45
            canvas.fill(silhouette.shifted(-stance.light * reach, reach * 0.8 + 2), Ink.shade.opacity(0.065))
        }
        if shot.presentation == .hanger { drawHanger() }
        drawGarment()
        tailor.drawCrumple()
    }

    private func drawHanger() {
        let wood = Ink(176, 132, 88)
        let top = isUpper ? 112.0 : 268
        var hook = Outline()
        hook.move(Point(0, top))
        hook.line(Point(0, top - 24))
        hook.curve(Point(22, top - 30), Point(20, top - 62), Point(-2, top - 58))
        hook.curve(Point(-12, top - 56), Point(-14, top - 46), Point(-11, top - 42))
        let middle = Point(0, stance.build.height(top) - top)
        canvas.stroke(hook.shifted(middle.x, middle.y), Ink(120, 120, 126), width: 4)
        let bar =
            isUpper
            ? Outline.band([Point(-66, 146), Point(-34, 130), Point(0, top + 3), Point(34, 130), Point(66, 146)]) { _ in 6 }
            : Outline.rectangle(-62, top, 124, 9)
        let placed = bar.mapped(stance.build.place)
        canvas.fill(placed, .ink(wood))
        canvas.stroke(placed, Ink.shade.opacity(0.35), width: 1.4)
        if !isUpper {
            for side in [-1.0, 1] {
                canvas.fill(
                    Outline.rectangle(side * 38 - 6, top + 4, 12, 24).mapped(stance.build.place), Ink(150, 152, 158))
            }
        }
    }
}

/// How the units of the figure lie in the picture.
private struct Frame {
    /// Where the figure's origin is, in pixels.
    let origin: Point
    /// Pixels per unit.
    let scale: Double
    /// Radians.
    let tilt: Double

    /// Where a floor would begin, in pixels from the top.
    let floor: Double

    init(_ shot: Shot, _ cut: Cut, _ stance: Stance, _ scene: Scene, _ size: Point, _ dice: inout Dice) {
        let kind = shot.garment.design.kind
        let legs = Legs(design: shot.garment.design, fit: shot.garment.fit, stance: stance)
        let hem = kind.hasLegs ? legs.bottom : cut.hem
        let isUpper = kind.isUpper
        let build = stance.build
        let reach = isUpper ? Self.reach(shot.garment.design.sleeve, stance, shoulder: cut.shoulder) : 70
        var extent = Extent(left: 0, top: 0, right: 0, bottom: 0)
        var half = max(
            reach * (build.wearer == .men ? 1.12 : 1), cut.half(cut.hem - 1) * build.width(cut.hem),
            kind == .trousers ? 128 : kind == .shorts ? 118 : 0)
        var middle = 0.0
        if shot.view == .detail {
            // Close enough to see the cloth, wide enough to know the garment.
            let span = dice.between(210, 270)
            let focus = build.height(isUpper ? dice.between(222, 268) : dice.between(380, 430))
            extent.top = focus - span / 2
            extent.bottom = focus + span / 2
            half = 5
            middle = dice.between(-18, 18) + 22 * stance.turn
        } else if stance.isBody {
            // Heads may be cut off, hems may not.
            extent.top = isUpper ? (dice.chance(0.5) ? -6 : 84) : dice.chance(0.2) ? -6 : build.height(206)
            let bottom = isUpper && kind != .dress ? max(hem + 46, 462) : dice.chance(0.3) || hem > 700 ? 806 : hem + 52
            // Legs end in feet, or well above.
            extent.bottom = build.height(bottom > 745 ? 806 : bottom)
        } else {
            let isHigh = [.turtleneck, .stand, .hood, .collar, .lapels].contains(shot.garment.design.neckline)
            let hangs = shot.presentation == .hanger
            extent.top = isUpper ? (hangs ? 48 : isHigh ? 86 : 112) : build.height(284) - (hangs ? 78 : 0)
            extent.bottom = build.height(hem) + 12
        }
        extent.left = middle - half
        extent.right = middle + half
        // A head is shown, or cut off below the mouth.
        let isHeadless = stance.isBody && shot.view != .detail && isUpper && extent.top > 0
        let limit =
            shot.presentation == .flat ? (scene.isSnapshot ? 0.26 : 0.12) : scene.isSnapshot && stance.isBody ? 0.03 : 0.022
        self.init(
            extent, floor: build.height(745), isDetail: shot.view == .detail, isAtTop: isHeadless, tilt: limit, scene, size, &dice
        )
    }

    /// Of what stands or lies by itself.
    init(_ extent: Extent, _ shot: Shot, _ scene: Scene, _ size: Point, _ dice: inout Dice) {
        var extent = extent
        let isDetail = shot.view == .detail
        if isDetail {
            // Close enough to see how it is sewn, wide enough to know what it is.
            let (wide, high) = (extent.right - extent.left, extent.bottom - extent.top)
            let shift = dice.between(-0.08, 0.08)
            extent = Extent(
                left: extent.left + wide * (0.17 + shift), top: extent.top + high * 0.24,
                right: extent.right - wide * (0.17 - shift),
                bottom: extent.bottom)
        }
        self.init(
            extent, floor: -26, isDetail: isDetail, isAtTop: false,
            tilt: shot.presentation == .hanger || !scene.isFloor ? 0.02 : scene.isSnapshot ? 0.3 : 0.08, scene, size, &dice)
    }

    /// - Parameters:
    ///   - extent: what has to be in the picture.
    ///   - floor: where a floor begins, in units.
    ///   - limit: how far it may be turned, in radians.
    private init(
        _ extent: Extent, floor: Double, isDetail: Bool, isAtTop: Bool, tilt limit: Double, _ scene: Scene, _ size: Point,
        _ dice: inout Dice
    ) {
        let (wide, high) = (extent.right - extent.left, extent.bottom - extent.top)
        // A snapshot is seldom framed well.
        let fill = isDetail ? 1 : scene.isSnapshot ? dice.between(0.82, 0.97) : dice.between(0.9, 0.99)
        scale = fill * min(size.y / high, size.x / wide)
        tilt = dice.between(-limit, limit)
        // What is left of the picture's room is shared out at random.
        let spareX = max(0, size.x - wide * scale) * 0.5
        let spareY = max(0, size.y - high * scale)
        let shiftX = isDetail ? 0 : min(spareX, size.x * 0.09) * dice.between(-0.8, 0.8)
        let shiftY = spareY * (isAtTop ? 0 : dice.between(0.3, 0.7))
        let center = Point((extent.left + extent.right) / 2, (extent.top + extent.bottom) / 2)
        let at = Point(size.x / 2 + shiftX, shiftY + high * scale / 2)
        // The tilt is about the middle of what is shown.
        origin = Point(at.x - center.x * scale + center.y * scale * tilt, at.y - center.y * scale - center.x * scale * tilt)
        self.floor = origin.y + floor * scale
    }

    /// How far to each side arms and sleeves go.
    private static func reach(_ sleeve: Sleeve, _ stance: Stance, shoulder: Double) -> Double {
        let arms = [stance.leftArm, stance.rightArm]
        // Nobody's arms are in an empty garment.
        let share =
            switch sleeve {
            case _ where stance.presentation == .worn: 1.0
            case .none, .strap: 0.0
            case .cap, .short, .puff, .flutter: 0.36
            case .elbow: 0.52
            case .threeQuarter: 0.76
            case .long, .bell, .bishop: 1.0
            }
        let ends = arms.map { abs($0.point(share).x) }
        return max(shoulder + 6, share == 0 ? 0 : (ends.max() ?? 0) + 30)
    }
}
