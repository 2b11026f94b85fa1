/// A pair of shoes. A shoe is 200 units long; in profile its heel is on the left and the floor at 0, from above its toe is up.
struct Shoes {
    enum Look {
        /// One from the side.
        case profile
        /// Both from the side, one behind the other.
        case pair
        /// Both from above.
        case plan
        /// Both from behind.
        case heels
    }

    let hide: Hide
    let look: Look
    /// Whether the toes point to the left.
    let isMirrored: Bool
    /// By how many degrees each shoe of a pair seen from above is turned outwards.
    let splay: Double

    static func look(_ view: View, _ silhouette: Silhouette, _ dice: inout Dice) -> Look {
        let isOpen = silhouette == .sandal
        let chosen: Look = dice.pick([
            (.pair, isOpen ? 0.25 : 0.5), (.plan, isOpen ? 0.65 : 0.32), (.profile, isOpen ? 0.1 : 0.18),
        ])
        return switch view {
        case .main: chosen
        case .back: .heels
        case .side: .profile
        case .detail: .pair
        }
    }

    private var silhouette: Silhouette { hide.design.silhouette }
    private var canvas: Canvas { hide.canvas }
    private var fit: Fit { hide.garment.fit }

    /// What the shoes take of the plane.
    static func extent(_ look: Look, _ silhouette: Silhouette) -> Extent {
        let high = height(silhouette)
        return switch look {
        case .profile: Extent(left: -112, top: -high - 8, right: 114, bottom: 10)
        case .pair: Extent(left: -114, top: -high - 50, right: 156, bottom: 12)
        case .plan: Extent(left: -98, top: -110, right: 98, bottom: 112)
        case .heels: Extent(left: -88, top: -high - 10, right: 88, bottom: 12)
        }
    }

    private static func height(_ silhouette: Silhouette) -> Double {
        switch silhouette {
        case .ankleBoot: 164
        case .pump: 128
        case .sneaker, .sandal: 104
        default: 84
        }
    }

    /// How high the heel lifts the foot.
    private var heel: Double {
        switch silhouette {
        case .pump: 66 + 12 * fit.drop
        case .ankleBoot: hide.design.wearer == .women ? 26 + 12 * fit.drop : 16
        case .loafer: 13
        case .sandal: 14 + 4 * fit.drop
        default: 8
        }
    }

    func draw() {
        switch look {
        case .profile:
            hide.shadow(Point(4, 2), 118, 13)
            facing { drawProfile() }
        case .pair:
            hide.shadow(Point(44, -34), 116, 12)
            hide.shadow(Point(4, 3), 120, 14)
            facing {
                canvas.moved(to: Point(42, -36), scale: 0.96) { drawProfile() }
                drawProfile()
            }
        case .plan:
            for side in [-1.0, 1] {
                canvas.moved(to: Point(side * 48, 0), angle: side * splay * 0.0175, squeeze: side) {
                    hide.shadow(Point(side * hide.light * -7, 6), 46, 108)
                    drawPlan()
                }
            }
        case .heels:
            hide.shadow(Point(0, 2), 92, 12)
            for side in [-1.0, 1] { canvas.moved(to: Point(side * 43, 0), squeeze: side) { drawHeel() } }
        }
    }

    private func facing(_ body: () -> Void) {
        // About the middle of what is shown.
        let middle = look == .pair ? 42.0 : 2
        canvas.moved(to: Point(isMirrored ? middle : 0, 0), squeeze: isMirrored ? -1 : 1, body)
    }

    // MARK: Parts

    private var soleInk: Ink {
        let cloth = hide.cloth
        if hide.has(.contrastSole) { return cloth.ground.luma > 0.72 ? Swatch.tan : Swatch.cream }
        return silhouette == .pump || silhouette == .loafer || silhouette == .ankleBoot || silhouette == .balletFlat
            ? Swatch.ebony.lighter(0.06) : cloth.ground.luma > 0.3 ? cloth.ground.darker(0.34) : cloth.ground.lighter(0.16)
    }

    private var insole: Ink { Ink(214, 186, 150) }
    private var lining: Ink { hide.cloth.ground.darker(0.5) }

    private func lay(_ outline: Outline, _ ink: Ink? = nil) {
        hide.lay(outline, ink, lit: Point(-10, -100), dark: Point(14, 6))
    }

    // MARK: From the side

    private func drawProfile() {
        switch silhouette {
        case .ankleBoot: drawBoot()
        case .pump: drawPump()
        case .loafer: drawLoafer()
        case .sandal: drawSandal()
        case .balletFlat: drawFlat()
        default: drawSneaker()
        }
    }

    /// From the heel along the floor to the toe and back; `thick` is the sole's.
    private func sole(_ thick: Double, from left: Double, to right: Double) -> Outline {
        var sole = Outline()
        sole.move(Point(left, -thick))
        sole.line(Point(right - 6, -thick))
        sole.curve(Point(right + 4, -thick), Point(right + 6, -thick * 0.5), Point(right - 4, -thick * 0.16))
        sole.curve(Point(right - 30, 0), Point(right - 40, 0), Point(right - 60, 0))
        sole.line(Point(left + 6, 0))
        sole.curve(Point(left - 4, 0), Point(left - 4, -thick * 0.8), Point(left, -thick))
        sole.close()
        return sole
    }

    private func toeCap(_ upper: Outline, _ ink: Ink, from x: Double) {
        canvas.clipped(to: upper) {
            let cap = Outline.ellipse(Point(x + 56, -6), 56, 54)
            lay(cap, ink)
            hide.stitch(Outline.ellipse(Point(x + 56, -6), 60, 58))
        }
    }

    private func colourBlock(_ upper: Outline) {
        guard hide.design.pattern == .colourBlock else { return }
        canvas.clipped(to: upper) {
            let ink = hide.cloth.figure
            switch hide.garment.print.motif % 3 {
            case 0: canvas.fill(.rectangle(-120, -200, 74, 220), ink)
            case 1: canvas.fill(Outline([Point(-30, -200), Point(20, -200), Point(60, 20), Point(-10, 20)]), ink)
            default: canvas.fill(.rectangle(-120, -30, 240, 40), ink)
            }
        }
    }

    private func drawSneaker() {
        var inside = Outline()
        inside.move(Point(-86, -74))
        inside.curve(Point(-66, -88), Point(-44, -86), Point(-20, -98))
        inside.line(Point(-30, -60))
        inside.line(Point(-80, -56))
        inside.close()
        canvas.fill(inside, lining)
        var upper = Outline()
        upper.move(Point(-93, -16))
        upper.curve(Point(-98, -40), Point(-94, -64), Point(-86, -75))
        upper.curve(Point(-72, -58), Point(-52, -56), Point(-34, -72))
        upper.line(Point(-23, -98))
        upper.line(Point(-9, -93))
        upper.curve(Point(4, -74), Point(26, -58), Point(48, -48))
        upper.curve(Point(80, -42), Point(100, -32), Point(99, -14))
        upper.close()
        lay(upper)
        colourBlock(upper)
        let trim = hide.cloth.trim
        if hide.has(.sideStripe) {
            canvas.clipped(to: upper) {
                for x in [-40.0, -22, -4] {
                    canvas.fill(Outline([Point(x, -14), Point(x + 9, -14), Point(x + 27, -72), Point(x + 18, -72)]), trim)
                }
            }
        }
        // The eyestay.
        let stay = Outline([Point(-33, -70), Point(-18, -88), Point(44, -50), Point(30, -38)])
        lay(stay, hide.cloth.ground.darker(0.1))
        hide.stitch(Outline([Point(-31, -67), Point(30, -35), Point(46, -48)], closed: false))
        if hide.has(.laces) {
            let lace = hide.cloth.ground.luma > 0.7 && trim.luma > 0.6 ? trim : Swatch.cream
            for step in 0..<5 {
                let at = Point(-22 + 14 * Double(step), -84 + 9.2 * Double(step))
                canvas.stroke(Outline([at, at + Point(-4, 19)], closed: false), Ink.shade.opacity(0.4), width: 6)
                canvas.stroke(Outline([at, at + Point(-4, 19)], closed: false), lace, width: 4.4)
            }
            for (end, bend) in [(Point(-48, -74), Point(-42, -98)), (Point(2, -104), Point(-20, -112))] {
                var loop = Outline()
                loop.move(Point(-22, -84))
                loop.curve(bend, end + Point(-4, -6), end)
                loop.curve(end + Point(6, 8), Point(-26, -72), Point(-22, -84))
                canvas.stroke(loop, lace.darker(0.25), width: 4.4)
                canvas.stroke(loop, lace, width: 3)
            }
        } else {
            // Elastic at both sides of the tongue.
            let gusset = Outline([Point(-34, -72), Point(-24, -88), Point(14, -62), Point(-8, -44)])
            canvas.fill(gusset, hide.cloth.ground.darker(0.4))
            for step in 0..<6 {
                let x = Double(step) * 5.5
                canvas.stroke(
                    Outline([Point(-32 + x, -74 + x * 0.55), Point(-24 + x, -64 + x * 0.7)], closed: false),
                    Ink.white.opacity(0.3), width: 1.4)
            }
        }
        if hide.has(.toeCap) {
            toeCap(upper, trim, from: 52)
        } else {
            hide.stitch(.line(through: [Point(52, -46), Point(58, -30), Point(60, -18)]))
        }
        if hide.has(.patch) {
            lay(Outline([Point(-95, -40), Point(-88, -76), Point(-70, -64), Point(-74, -36)]), trim)
        }
        hide.shine(.line(through: [Point(-6, -88), Point(26, -60), Point(56, -48), Point(86, -36)]))
        let bottom = sole(20, from: -98, to: 102)
        lay(bottom, soleInk)
        canvas.stroke(
            Outline([Point(-96, -13), Point(96, -13)], closed: false), Ink.shade.opacity(0.3), width: 1.6)
    }

    /// The foot's lower edge over a heel, from the toe backwards.
    private func arch(_ outline: inout Outline, thick: Double = 5) {
        outline.line(Point(84, -thick))
        outline.curve(Point(50, -thick + 2), Point(24, -thick + 2), Point(8, -thick - heel * 0.12))
        outline.curve(Point(-26, -thick - heel * 0.5), Point(-40, -heel), Point(-92, -heel))
    }

    private func heelBlock(slender: Bool) {
        let (wide, foot) = slender ? (30.0, 9.0) : (40, 36)
        var block = Outline()
        block.move(Point(-93, -heel - 2))
        block.curve(Point(-92, -heel * 0.5), Point(-88, -heel * 0.3), Point(slender ? -84 : -92, 0))
        block.line(Point((slender ? -84 : -92) + foot, 0))
        block.curve(Point(-72, -heel * 0.4), Point(-66, -heel * 0.8), Point(-93 + wide + 8, -heel + 2))
        block.close()
        lay(block, silhouette == .pump ? nil : soleInk)
    }

    private func drawBoot() {
        heelBlock(slender: false)
        var upper = Outline()
        upper.move(Point(-92, -heel))
        upper.curve(Point(-99, -heel - 36), Point(-86, -104), Point(-84, -154))
        upper.curve(Point(-60, -150), Point(-36, -150), Point(-12, -156))
        upper.curve(Point(-12, -118), Point(-4, -84), Point(26, -64))
        upper.curve(Point(62, -50), Point(104, -44), Point(101, -8))
        arch(&upper)
        upper.close()
        canvas.fill(Outline.ellipse(Point(-48, -154), 36, 7), lining)
        lay(upper)
        colourBlock(upper)
        canvas.stroke(
            Outline.line(through: [Point(-84, -154), Point(-48, -149), Point(-12, -156)]), hide.cloth.ground.darker(0.3), width: 4
        )
        if hide.has(.toeCap) { toeCap(upper, hide.cloth.trim, from: 46) }
        hide.seam(.line(through: [Point(-94, -heel - 34), Point(-40, -heel - 46), Point(0, -40), Point(20, -10)]))
        if hide.has(.laces) {
            for step in 0..<6 {
                let y = -146 + 15 * Double(step)
                let x = -16 + max(0, Double(step) - 2) * 7
                canvas.stroke(Outline([Point(x - 20, y + 6), Point(x, y)], closed: false), Ink.shade.opacity(0.4), width: 6)
                canvas.stroke(
                    Outline([Point(x - 20, y + 6), Point(x, y)], closed: false),
                    hide.cloth.ground.luma < 0.6 ? Swatch.cream : Swatch.ebony, width: 3.6)
                canvas.fill(Outline.ellipse(Point(x - 21, y + 6), 2.6, 2.6), hide.metal)
            }
        } else if !hide.has(.zip), !hide.has(.buckle) {
            // Elastic at the ankle, as riding boots have it.
            var gusset = Outline()
            gusset.move(Point(-64, -151))
            gusset.line(Point(-30, -151))
            gusset.curve(Point(-34, -110), Point(-42, -86), Point(-48, -76))
            gusset.curve(Point(-54, -86), Point(-60, -110), Point(-64, -151))
            gusset.close()
            canvas.fill(gusset, hide.cloth.ground.luma < 0.2 ? hide.cloth.ground.lighter(0.2) : hide.cloth.ground.darker(0.45))
            for x in [-58.0, -52, -46, -40, -35] {
                canvas.stroke(
                    Outline([Point(x, -148), Point(-48 + (x + 48) * 0.3, -84)], closed: false), Ink.white.opacity(0.22),
                    width: 1.3)
            }
        }
        if hide.has(.zip) { hide.zip(.line(through: [Point(-46, -150), Point(-46, -100), Point(-42, -44)])) }
        if hide.has(.buckle) {
            let strap = Outline([Point(-92, -78), Point(-4, -92), Point(2, -78), Point(-95, -62)])
            lay(strap, hide.cloth.ground.darker(0.2))
            hide.buckle(at: Point(-34, -79), width: 20, height: 20)
        }
        if hide.has(.patch) { hide.label(at: Point(-70, -126), 17, 26) }
        hide.shine(.line(through: [Point(-16, -140), Point(0, -86), Point(36, -62), Point(84, -44)]), width: 5)
        var under = Outline()
        under.move(Point(-92, -heel))
        under.curve(Point(-40, -heel), Point(-26, -5 - heel * 0.5), Point(8, -5 - heel * 0.12))
        under.curve(Point(24, -5), Point(60, -5), Point(98, -8))
        canvas.stroke(under, soleInk, width: hide.has(.contrastSole) ? 11 : 7)
    }

    private func drawPump() {
        let isSlender = hide.garment.print.motif % 3 != 0
        let top = -heel - 46
        var inside = Outline()
        inside.move(Point(-86, top))
        inside.curve(Point(-50, top + 8), Point(0, -56), Point(36, -42))
        inside.curve(Point(6, -26), Point(-50, -heel - 2), Point(-86, top))
        inside.close()
        canvas.fill(inside, insole.darker(0.2))
        if hide.has(.ankleStrap) { drawAnkleStrap(at: Point(-60, top - 14), half: 34, foot: Point(-84, top + 16)) }
        heelBlock(slender: isSlender)
        var upper = Outline()
        upper.move(Point(-92, -heel))
        upper.curve(Point(-100, -heel - 18), Point(-97, top + 4), Point(-86, top))
        upper.curve(Point(-60, -heel - 10), Point(-12, -22), Point(30, -42))
        upper.curve(Point(56, -46), Point(96, -30), Point(108, -8))
        upper.line(Point(100, -4))
        arch(&upper, thick: 4)
        upper.close()
        lay(upper)
        colourBlock(upper)
        if hide.has(.toeCap) { toeCap(upper, hide.cloth.trim, from: 54) }
        let topline = Outline.line(through: [Point(-86, top), Point(-50, -heel - 8), Point(-6, -30), Point(30, -42)])
        canvas.stroke(
            topline, hide.has(.piping) ? hide.cloth.trim : hide.cloth.ground.darker(0.25), width: hide.has(.piping) ? 5 : 2)
        hide.shine(.line(through: [Point(34, -38), Point(64, -34), Point(92, -18)]), width: 5, 0.26)
        if hide.has(.bow) { hide.bow(at: Point(40, -44), size: 0.72) }
        if hide.has(.buckle) { hide.buckle(at: Point(46, -36), width: 24, height: 17) }
        canvas.stroke(
            .line(through: [Point(100, -3), Point(50, -2), Point(8, -4 - heel * 0.12)]), Ink(120, 40, 36), width: 3)
    }

    private func drawAnkleStrap(at center: Point, half: Double, foot: Point) {
        let ink = hide.cloth.ground.darker(0.12)
        canvas.stroke(Outline.ellipse(center, half, 11, turned: -0.12), ink.darker(0.3), width: 9)
        canvas.stroke(Outline.ellipse(center, half, 11, turned: -0.12), ink, width: 6.5)
        canvas.stroke(Outline([foot, center + Point(-half + 4, 2)], closed: false), ink, width: 9)
        hide.buckle(at: center + Point(8, 10), width: 11, height: 11)
    }

    private func drawLoafer() {
        var inside = Outline()
        inside.move(Point(-84, -66))
        inside.curve(Point(-60, -74), Point(-30, -70), Point(-2, -80))
        inside.line(Point(-16, -50))
        inside.line(Point(-78, -50))
        inside.close()
        canvas.fill(inside, insole.darker(0.35))
        var upper = Outline()
        upper.move(Point(-92, -heel))
        upper.curve(Point(-99, -36), Point(-94, -58), Point(-85, -67))
        upper.curve(Point(-66, -56), Point(-40, -52), Point(-16, -62))
        upper.curve(Point(-12, -72), Point(-8, -80), Point(-2, -81))
        upper.curve(Point(14, -76), Point(34, -60), Point(54, -52))
        upper.curve(Point(86, -46), Point(104, -32), Point(102, -8))
        upper.line(Point(-92, -8))
        upper.close()
        lay(upper)
        colourBlock(upper)
        if hide.has(.toeCap) { toeCap(upper, hide.cloth.trim, from: 54) }
        // The raised seam of the apron.
        let apron = Outline.line(through: [Point(2, -56), Point(36, -40), Point(72, -36), Point(92, -38)])
        hide.seam(apron)
        hide.stitch(apron.shifted(0, 5))
        let strap = Outline([Point(-2, -80), Point(22, -66), Point(10, -12), Point(-22, -12), Point(-18, -52)])
        lay(strap, hide.has(.piping) ? hide.cloth.trim : hide.cloth.ground.darker(0.14))
        if hide.has(.buckle) {
            // A bit, as of a bridle.
            canvas.stroke(Outline([Point(-6, -60), Point(22, -52)], closed: false), hide.metal.darker(0.3), width: 6)
            canvas.stroke(Outline([Point(-6, -60), Point(22, -52)], closed: false), hide.metal, width: 4)
            for at in [Point(-8, -60), Point(24, -52)] { canvas.stroke(Outline.ellipse(at, 7, 8), hide.metal, width: 3.4) }
        } else if !hide.has(.tassel) {
            canvas.fill(Outline([Point(-2, -52), Point(12, -46), Point(9, -38), Point(-5, -44)]), Ink.shade.opacity(0.6))
        }
        if hide.has(.tassel) {
            hide.tassel(at: Point(14, -62), length: 26)
            hide.tassel(at: Point(24, -58), length: 26)
        }
        hide.shine(.line(through: [Point(26, -60), Point(60, -48), Point(88, -36)]), width: 5, 0.26)
        lay(Outline([Point(-96, -13), Point(-44, -13), Point(-46, 0), Point(-94, 0)]), soleInk)
        lay(sole(hide.has(.contrastSole) ? 14 : 9, from: -97, to: 105).shifted(0, -1), soleInk)
    }

    private func drawSandal() {
        let bed = heel + 8
        if hide.has(.ankleStrap) { drawAnkleStrap(at: Point(-58, -88), half: 32, foot: Point(-82, -bed)) }
        lay(sole(bed, from: -98, to: 102), soleInk)
        canvas.fill(Outline([Point(-97, -bed - 1), Point(98, -bed - 1), Point(92, -bed + 4), Point(-95, -bed + 4)]), insole)
        // From the side a strap is as wide at the sole as the foot is long there, and narrow over the instep.
        for (foot, ridge, high) in [(20.0...82.0, 36.0...62.0, bed + 26), (-44.0...10.0, -28.0...0.0, bed + 42)] {
            var far = Outline()
            far.move(Point(ridge.lowerBound + 2, -high + 3))
            far.curve(
                Point(ridge.lowerBound + 8, -high - 9), Point(ridge.upperBound + 4, -high - 7), Point(ridge.upperBound, -high + 8)
            )
            far.close()
            canvas.fill(far, hide.cloth.ground.darker(0.55))
            var strap = Outline()
            strap.move(Point(foot.lowerBound, -bed + 7))
            strap.curve(
                Point(foot.lowerBound + 4, -bed - 14), Point(ridge.lowerBound - 6, -high + 10), Point(ridge.lowerBound, -high))
            strap.curve(
                Point(ridge.lowerBound + 10, -high + 5), Point(ridge.upperBound - 8, -high + 9),
                Point(ridge.upperBound, -high + 8))
            strap.curve(
                Point(ridge.upperBound + 10, -high + 16), Point(foot.upperBound - 5, -bed - 10), Point(foot.upperBound, -bed + 7))
            strap.close()
            lay(strap)
            colourBlock(strap)
            hide.stitch(
                Outline([Point(foot.lowerBound + 5, -bed + 2), Point(ridge.lowerBound + 4, -high + 6)], closed: false))
            if hide.has(.buckle) {
                hide.buckle(at: Point((foot.lowerBound + foot.upperBound) / 2, -bed - (high - bed) * 0.4), width: 18, height: 16)
            }
        }
        if !hide.has(.ankleStrap) {
            lay(.band([Point(-24, -bed - 34), Point(-58, -bed - 40), Point(-94, -bed - 26)]) { _ in 5 })
            lay(Outline([Point(-97, -bed), Point(-92, -bed - 32), Point(-82, -bed - 30), Point(-84, -bed)]))
        }
        if hide.has(.bow) { hide.bow(at: Point(46, -bed - 26), size: 0.7) }
    }

    private func drawFlat() {
        var inside = Outline()
        inside.move(Point(-88, -50))
        inside.curve(Point(-50, -46), Point(10, -38), Point(50, -38))
        inside.line(Point(44, -22))
        inside.line(Point(-84, -20))
        inside.close()
        canvas.fill(inside, insole)
        if hide.has(.ankleStrap) { drawAnkleStrap(at: Point(-60, -70), half: 32, foot: Point(-84, -40)) }
        var upper = Outline()
        upper.move(Point(-92, -5))
        upper.curve(Point(-99, -24), Point(-96, -44), Point(-88, -51))
        upper.curve(Point(-70, -28), Point(-6, -16), Point(46, -38))
        upper.curve(Point(78, -42), Point(104, -28), Point(102, -5))
        upper.close()
        lay(upper)
        colourBlock(upper)
        if hide.has(.toeCap) { toeCap(upper, hide.cloth.trim, from: 56) }
        let topline = Outline.line(through: [Point(-88, -51), Point(-58, -30), Point(-4, -24), Point(46, -38)])
        canvas.stroke(
            topline, hide.has(.piping) ? hide.cloth.trim : hide.cloth.ground.darker(0.3), width: hide.has(.piping) ? 6 : 3)
        hide.shine(.line(through: [Point(54, -34), Point(78, -30), Point(94, -18)]), width: 4)
        if hide.has(.bow) { hide.bow(at: Point(50, -40), size: 0.7) }
        if hide.has(.buckle) { hide.buckle(at: Point(58, -32), width: 22, height: 15) }
        lay(sole(6, from: -96, to: 104), soleInk)
    }

    // MARK: From above

    private func drawPlan() {
        let isPointed = silhouette == .pump
        let wide = silhouette == .sneaker || silhouette == .ankleBoot ? 1.06 : 0.96
        func contour(_ grow: Double) -> Outline {
            .blob([
                Point(isPointed ? -3 : -2, -102 - grow), Point(isPointed ? 17 : 26, -84 - grow * 0.6),
                Point(37 * wide + grow, -46), Point(34 * wide + grow, 0), Point(28 + grow, 44), Point(28 + grow, 74),
                Point(17 + grow * 0.5, 95 + grow), Point(0, 101 + grow), Point(-17 - grow * 0.5, 95 + grow),
                Point(-28 - grow, 74),
                Point(-25 - grow, 40), Point(-29 * wide - grow, 0),
                Point(-33 * wide - grow, -46), Point(isPointed ? -20 : -28, -82 - grow * 0.6),
            ])
        }
        func lay(_ outline: Outline, _ ink: Ink? = nil) {
            hide.lay(outline, ink, lit: Point(hide.light * 40, -60), dark: Point(hide.light * -44, 80))
        }
        if silhouette == .sandal { return drawSandalPlan(contour(3), contour(0), lay) }
        lay(contour(silhouette == .sneaker ? 5 : 2), soleInk)
        let upper = contour(0)
        lay(upper)
        canvas.clipped(to: upper) {
            if hide.design.pattern == .colourBlock { canvas.fill(.rectangle(-60, 20, 120, 100), hide.cloth.figure) }
            if hide.has(.toeCap) {
                lay(.rectangle(-60, -120, 120, 56), hide.cloth.trim)
                hide.stitch(Outline([Point(-60, -61), Point(60, -61)], closed: false))
            }
            if hide.has(.sideStripe) {
                for side in [-1.0, 1] {
                    for y in [-18.0, -2, 14] {
                        canvas.fill(
                            Outline([
                                Point(side * 18, y - 16), Point(side * 18, y - 8), Point(side * 50, y + 8), Point(side * 50, y),
                            ]),
                            hide.cloth.trim)
                    }
                }
            }
        }
        // The opening.
        let low = silhouette == .pump || silhouette == .balletFlat
        let front = low ? -46.0 : 14
        let opening = Outline.blob([
            Point(0, front), Point(20, front + 22), Point(20, 56), Point(13, 86), Point(0, 92), Point(-13, 86), Point(-19, 56),
            Point(-20, front + 22),
        ])
        canvas.fill(opening, silhouette == .sneaker || silhouette == .ankleBoot ? lining : insole)
        canvas.fill(
            opening, .radial(Point(0, 60), radius: 70, [(0, Ink.white.opacity(0.16)), (1, Ink.shade.opacity(0.5))]))
        canvas.stroke(
            opening, hide.has(.piping) ? hide.cloth.trim : hide.cloth.ground.darker(0.2), width: hide.has(.piping) ? 5 : 3.4)
        switch silhouette {
        case .sneaker, .ankleBoot:
            let tongue = Outline.rounded(-14, -44, 28, 66, radius: 9)
            lay(tongue, hide.cloth.ground.darker(0.1))
            if hide.has(.laces) {
                let lace = hide.cloth.ground.luma > 0.7 && hide.cloth.trim.luma > 0.6 ? hide.cloth.trim : Swatch.cream
                for step in 0..<5 {
                    let y = -40 + 11 * Double(step)
                    canvas.stroke(Outline([Point(-18, y), Point(18, y + 3)], closed: false), Ink.shade.opacity(0.4), width: 6)
                    canvas.stroke(Outline([Point(-18, y), Point(18, y + 3)], closed: false), lace, width: 4.2)
                }
                for side in [-1.0, 1] {
                    canvas.stroke(Outline.ellipse(Point(side * 17, 16), 13, 7, turned: side * 0.4), lace, width: 3.4)
                }
            } else {
                for side in [-1.0, 1] {
                    canvas.fill(
                        Outline([Point(side * 13, -30), Point(side * 24, -20), Point(side * 20, 14), Point(side * 13, 10)]),
                        hide.cloth.ground.darker(0.45))
                }
            }
            if hide.has(.patch) { lay(.rounded(-9, 84, 18, 18, radius: 4), hide.cloth.trim) }
            if hide.has(.buckle) {
                lay(Outline([Point(-36, -8), Point(37, -8), Point(36, 8), Point(-34, 8)]), hide.cloth.ground.darker(0.2))
                hide.buckle(at: Point(22, 0), width: 18, height: 20)
            }
            if hide.has(.zip) { hide.zip(Outline([Point(-27, -4), Point(-24, 60)], closed: false)) }
        case .loafer:
            hide.seam(.line(through: [Point(-26, 6), Point(-24, -48), Point(0, -78), Point(24, -48), Point(27, 6)]))
            hide.stitch(.line(through: [Point(-21, 6), Point(-19, -46), Point(0, -72), Point(19, -46), Point(22, 6)]))
            lay(
                Outline([Point(-31, -14), Point(36, -14), Point(34, 8), Point(-29, 8)]),
                hide.has(.piping) ? hide.cloth.trim : hide.cloth.ground.darker(0.14))
            if hide.has(.buckle) {
                canvas.stroke(Outline([Point(-16, -4), Point(18, -4)], closed: false), hide.metal, width: 4)
                for x in [-18.0, 20] { canvas.stroke(Outline.ellipse(Point(x, -4), 6, 8), hide.metal, width: 3.2) }
            }
            if hide.has(.tassel) { for x in [-6.0, 8] { hide.tassel(at: Point(x, -12), length: -26) } }
        default:
            if hide.has(.bow) { hide.bow(at: Point(0, -50), size: 0.7) }
            if hide.has(.buckle) { hide.buckle(at: Point(0, -56), width: 26, height: 16) }
            if hide.has(.ankleStrap) {
                canvas.stroke(
                    .line(through: [Point(-26, 44), Point(0, 30), Point(28, 44)]), hide.cloth.ground.darker(0.12), width: 8)
                hide.buckle(at: Point(22, 40), width: 11, height: 12)
            }
        }
    }

    private func drawSandalPlan(_ sole: Outline, _ bed: Outline, _ lay: (Outline, Ink?) -> Void) {
        lay(sole, soleInk)
        lay(bed, insole)
        canvas.fill(Outline.ellipse(Point(0, 58), 17, 28), Ink.shade.opacity(0.12))
        canvas.fill(Outline.ellipse(Point(2, -54), 22, 26), Ink.shade.opacity(0.1))
        for (y, tilt) in [(-50.0, 5.0), (-4, -6)] {
            var strap = Outline()
            strap.move(Point(-38, y - 10 + tilt))
            strap.curve(Point(-16, y - 20), Point(18, y - 20), Point(40, y - 10 - tilt))
            strap.line(Point(38, y + 12 - tilt))
            strap.curve(Point(18, y + 2), Point(-16, y + 2), Point(-36, y + 12 + tilt))
            strap.close()
            canvas.fill(strap.shifted(2, 4), Ink.shade.opacity(0.3))
            lay(strap, nil)
            if hide.design.pattern == .colourBlock, y < -20 { canvas.fill(strap, hide.cloth.figure) }
            if hide.has(.buckle) { hide.buckle(at: Point(24, y - 4), width: 15, height: 17) }
        }
        let strap = Outline.line(through: [Point(-27, 62), Point(0, 40), Point(28, 62)])
        if hide.has(.ankleStrap) {
            canvas.stroke(strap.shifted(1, 3), Ink.shade.opacity(0.3), width: 11)
            canvas.stroke(strap, hide.cloth.ground, width: 9)
            hide.buckle(at: Point(22, 54), width: 12, height: 13)
        } else {
            canvas.stroke(
                .line(through: [Point(-28, 66), Point(-22, 92), Point(0, 103), Point(22, 92), Point(28, 66)]), hide.cloth.ground,
                width: 8)
        }
        if hide.has(.bow) { hide.bow(at: Point(0, -62), size: 0.7) }
    }

    // MARK: From behind

    private func drawHeel() {
        let high: Double =
            switch silhouette {
            case .ankleBoot: 154
            case .pump: heel + 46
            case .sneaker: 76
            case .loafer: 67
            case .sandal: heel + 12
            default: 51
            }
        func lay(_ outline: Outline, _ ink: Ink? = nil) {
            hide.lay(outline, ink, lit: Point(-24, -high), dark: Point(34, 0))
        }
        let base = silhouette == .sneaker ? 18 : heel
        if silhouette == .pump {
            let foot = hide.garment.print.motif % 3 != 0 ? 6.0 : 18
            lay(Outline([Point(-20, -heel), Point(20, -heel), Point(foot, 0), Point(-foot, 0)]))
        } else {
            lay(.rounded(-35, -base - 4, 70, base + 4, radius: min(6, base * 0.4)), soleInk)
        }
        if silhouette == .sandal {
            canvas.fill(.rectangle(-33, -base - 8, 66, 8), insole)
            // The straps over the foot, seen through the open heel.
            for (y, half) in [(base + 26, 31.0), (base + 42, 28)] {
                canvas.stroke(
                    .line(through: [
                        Point(-half, -base - 4), Point(-half * 0.86, -y + 4), Point(0, -y - 6), Point(half * 0.86, -y + 4),
                        Point(half, -base - 4),
                    ]), hide.cloth.ground.darker(0.35), width: 9)
            }
            if hide.has(.ankleStrap) {
                canvas.stroke(Outline([Point(0, -base - 4), Point(0, -84)], closed: false), hide.cloth.ground, width: 12)
                canvas.stroke(Outline.ellipse(Point(0, -88), 31, 9), hide.cloth.ground, width: 8)
            } else {
                lay(Outline.rounded(-31, -base - 34, 62, 12, radius: 5))
            }
            return
        }
        let (low, top) = silhouette == .ankleBoot ? (33.0, 38.0) : (33, 27)
        var counter = Outline()
        counter.move(Point(-low, -base))
        // A boot is narrow at the ankle.
        let waist = silhouette == .ankleBoot ? -9.0 : 3
        counter.curve(Point(-low - waist, -base - (high - base) * 0.4), Point(-top - 2, -high + 14), Point(-top, -high))
        counter.curve(Point(-top * 0.4, -high - 5), Point(top * 0.4, -high - 5), Point(top, -high))
        counter.curve(Point(top + 2, -high + 14), Point(low + waist, -base - (high - base) * 0.4), Point(low, -base))
        counter.close()
        canvas.fill(Outline.ellipse(Point(0, -high - 1), top - 1, 8), lining)
        lay(counter)
        if hide.design.pattern == .colourBlock {
            canvas.clipped(to: counter) { canvas.fill(.rectangle(-60, -50, 120, 60), hide.cloth.figure) }
        }
        if hide.has(.patch) {
            lay(.rounded(-10, -high - 2, 20, (high - base) * 0.7, radius: 5), hide.cloth.trim)
        } else {
            hide.seam(Outline([Point(0, -high), Point(0, -base)], closed: false))
        }
        if hide.has(.buckle), silhouette == .ankleBoot {
            lay(.rectangle(-38, -84, 76, 16), hide.cloth.ground.darker(0.2))
        }
        if hide.has(.ankleStrap) {
            canvas.stroke(Outline.ellipse(Point(0, -high - 16), 33, 9), hide.cloth.ground.darker(0.12), width: 7)
            canvas.stroke(Outline([Point(0, -high - 8), Point(0, -high + 6)], closed: false), hide.cloth.ground, width: 9)
        }
        if hide.has(.piping) {
            canvas.stroke(
                .line(through: [Point(-top, -high), Point(0, -high - 4), Point(top, -high)]), hide.cloth.trim, width: 5)
        }
        // Laces and bows show a little above the counter.
        if hide.has(.laces), silhouette == .sneaker {
            for side in [-1.0, 1] {
                canvas.stroke(Outline.ellipse(Point(side * 12, -high - 14), 12, 6, turned: side * 0.3), Swatch.cream, width: 3.4)
            }
        }
    }
}
