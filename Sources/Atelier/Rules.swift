/// What goes with what: which necklines, sleeves, lengths, patterns, details and colours a silhouette may have, and who wears it.
struct Rules {
    let silhouette: Silhouette
    let wearer: Wearer

    init(_ silhouette: Silhouette, _ wearer: Wearer) {
        self.silhouette = silhouette
        self.wearer = wearer
    }

    static func suits(_ silhouette: Silhouette, _ wearer: Wearer) -> Bool {
        switch wearer {
        case .women: true
        case .men:
            [
                .tee, .polo, .shirt, .sweater, .hoodie, .slim, .straight, .joggers, .skinnyJeans, .straightJeans, .denimShorts,
                .chinoShorts, .sportShorts, .bermuda, .blazer, .bomber, .parka, .denimJacket, .trench, .sneaker, .ankleBoot,
                .loafer, .sandal, .backpack, .tote,
            ].contains(silhouette)
        case .kids:
            [
                .aLine, .fitAndFlare, .tiered, .shift, .trapeze, .dropWaist, .tee, .polo, .shirt, .sweater, .hoodie, .circle,
                .pleated, .tieredSkirt, .aLineSkirt, .straight, .joggers, .skinnyJeans, .straightJeans, .denimShorts,
                .chinoShorts, .sportShorts, .bermuda, .duffle, .bomber, .parka, .denimJacket, .sneaker, .ankleBoot, .sandal,
                .balletFlat, .backpack,
            ].contains(silhouette)
        }
    }

    var necklines: [Neckline] {
        switch silhouette {
        case .shirtDress, .shirt, .polo, .denimJacket: [.collar]
        case .wrap: [.v, .collar]
        case .slip, .camisole: [.v, .sweetheart, .square, .scoop]
        case .sweater: wearer == .women ? [.crew, .v, .turtleneck, .boat, .cowl] : [.crew, .v, .turtleneck]
        case .hoodie, .parka: [.hood]
        case .tee where wearer != .women: [.crew, .crew, .v]
        case .tee, .crop: [.crew, .v, .scoop, .boat, .square]
        case .tunic, .blouse: [.v, .keyhole, .square, .collar, .boat, .stand]
        case .peplum, .peplumDress: [.crew, .v, .square, .boat, .sweetheart, .scoop]
        case .trench, .blazer: [.lapels]
        case .cocoon: [.lapels, .stand, .crew]
        case .duffle: [.hood, .stand]
        case .bomber: [.stand, .hood, .collar]
        case .aLine, .fitAndFlare, .tiered, .shift, .trapeze, .dropWaist:
            wearer == .kids
                ? [.crew, .square, .collar, .boat, .scoop]
                : [
                    .crew, .v, .scoop, .square, .boat, .sweetheart, .halter, .offShoulder, .collar, .turtleneck, .keyhole, .cowl,
                ]
        case .sheath, .empire, .mermaid, .bubble:
            [.crew, .v, .scoop, .square, .boat, .sweetheart, .halter, .offShoulder, .collar, .turtleneck, .keyhole, .cowl]
        default: [.none]
        }
    }

    func sleeves(with neckline: Neckline) -> [(Sleeve, Double)] {
        switch silhouette.kind {
        case .skirt, .trousers, .shorts, .shoes, .bag: return [(.none, 1)]
        case .coat:
            let isPlain = wearer != .women || [.denimJacket, .parka, .bomber].contains(silhouette)
            return isPlain ? [(.long, 1)] : [(.long, 0.7), (.threeQuarter, 0.15), (.bell, 0.15)]
        case .dress, .top: break
        }
        switch silhouette {
        case .slip, .camisole: return [(.strap, 1)]
        case .sweater where wearer != .women, .hoodie where wearer != .women: return [(.long, 1)]
        case .sweater, .hoodie: return [(.long, 0.6), (.bishop, 0.25), (.threeQuarter, 0.15)]
        case .polo: return [(.short, 0.75), (.long, 0.25)]
        case .tee where wearer != .women: return [(.short, 0.6), (.long, 0.3), (.elbow, 0.1)]
        case .shirt where wearer != .women: return [(.long, 0.6), (.short, 0.4)]
        default: break
        }
        switch neckline {
        case _ where wearer == .kids: return [(.none, 1), (.cap, 1), (.short, 1.5), (.puff, 1), (.flutter, 1), (.long, 1.5)]
        case .halter: return [(.none, 1)]
        case .offShoulder: return [(.short, 1), (.puff, 1), (.long, 1), (.flutter, 1)]
        case .turtleneck, .collar: return [(.none, 1), (.short, 1), (.puff, 1), (.threeQuarter, 1), (.long, 2), (.bishop, 1)]
        case .sweetheart, .square, .scoop:
            return [
                (.none, 1), (.strap, 1.5), (.cap, 1), (.short, 1), (.puff, 1.5), (.elbow, 1), (.long, 1), (.bell, 1),
                (.flutter, 1),
            ]
        default:
            return [
                (.none, 1.2), (.cap, 1), (.short, 1), (.puff, 1), (.flutter, 1), (.elbow, 1), (.threeQuarter, 1), (.long, 1),
                (.bell, 1),
                (.bishop, 1),
            ]
        }
    }

    var lengths: [Length] {
        switch silhouette {
        case .mermaid: [.maxi]
        case .bubble: [.mini, .knee]
        case .sheath, .peplumDress: [.mini, .knee, .midi]
        case .shift, .trapeze: [.mini, .knee]
        case .aLine, .fitAndFlare, .empire, .shirtDress, .wrap, .slip, .tiered, .dropWaist:
            wearer == .kids ? [.mini, .knee, .midi] : [.mini, .knee, .midi, .maxi]
        case .crop: [.cropped]
        case .tunic: [.mini]
        case .tee, .blouse, .peplum, .shirt, .camisole, .sweater, .hoodie, .polo: [.hip]
        case .pencil, .aLineSkirt, .wrapSkirt: [.mini, .knee, .midi]
        case .circle, .pleated, .tieredSkirt: wearer == .kids ? [.mini, .knee] : [.mini, .knee, .midi, .maxi]
        case .culottes: [.cropped]
        case .slim, .straight, .wide, .bootcut, .skinnyJeans, .straightJeans: [.full, .cropped]
        case .joggers, .flaredJeans: [.full]
        case .denimShorts, .chinoShorts, .sportShorts: [.mini]
        case .bermuda: [.knee]
        case .blazer, .bomber, .denimJacket: [.hip]
        case .parka: [.mini, .knee]
        case .trench, .cocoon, .duffle: wearer == .women ? [.mini, .knee, .midi] : [.mini, .knee]
        default: [.none]
        }
    }

    /// How likely it is that a garment has no pattern.
    var plainShare: Double {
        if silhouette.isDenim { return 0.45 }
        return switch silhouette.kind {
        case .trousers, .coat: 0.45
        case .shoes: 0.7
        case .bag: 0.55
        case .shorts: 0.4
        case .dress, .top, .skirt: wearer == .women ? 0.2 : 0.35
        }
    }

    /// What else it may have.
    var patterns: [Pattern] {
        if silhouette.isDenim { return [.washed] }
        let all = Pattern.allCases.filter { $0 != .solid && $0 != .washed }
        guard wearer == .men else { return all }
        return all.filter { $0 != .animal && ($0 != .floral || silhouette == .shirt) }
    }

    /// Which colours it comes in: denim in few.
    var swatches: [Swatch] {
        silhouette.isDenim ? [.navy, .blue, .black, .grey, .white] : Swatch.allCases
    }

    func details(with neckline: Neckline, _ sleeve: Sleeve, _ pattern: Pattern) -> [Detail] {
        var allowed: [Detail]
        switch silhouette {
        case .shirtDress, .shirt: allowed = [.belt, .pockets, .contrastCollar, .contrastCuffs, .piping]
        case .polo: allowed = [.pockets, .contrastCollar, .contrastCuffs, .sideStripe, .patch]
        case .wrap: allowed = [.ruffleHem, .laceHem, .bow, .contrastCuffs, .piping]
        case .sheath, .mermaid, .peplumDress: allowed = [.belt, .zip, .bow, .slit, .piping, .laceHem, .sideStripe]
        case .shift, .trapeze: allowed = [.buttons, .pockets, .bow, .piping, .laceHem, .ruffleHem, .zip, .contrastCuffs]
        case .slip: allowed = [.laceHem, .slit, .bow, .piping]
        case .bubble, .tiered, .dropWaist: allowed = [.belt, .buttons, .bow, .piping, .contrastCuffs]
        case .aLine, .fitAndFlare, .empire:
            allowed = [.belt, .buttons, .bow, .pockets, .ruffleHem, .laceHem, .piping, .zip, .contrastCuffs]
        case .tee, .crop, .sweater, .hoodie:
            allowed = [.pockets, .piping, .contrastCuffs, .sideStripe, .zip, .bow, .chestPrint]
        case .blouse, .tunic, .peplum, .camisole: allowed = [.buttons, .bow, .laceHem, .piping, .contrastCuffs, .belt]
        case .pencil, .aLineSkirt: allowed = [.belt, .buttons, .zip, .slit, .pockets, .ruffleHem, .laceHem, .sideStripe]
        case .circle, .pleated, .tieredSkirt, .wrapSkirt: allowed = [.belt, .bow, .laceHem, .piping, .buttons]
        case .slim, .wide, .straight, .culottes, .bootcut: allowed = [.belt, .sideStripe, .pockets, .buttons, .contrastCuffs]
        case .joggers: allowed = [.sideStripe, .pockets, .drawstring, .patch, .contrastCuffs]
        case .skinnyJeans, .straightJeans: allowed = [.belt, .rips, .turnUps, .patch, .buttons]
        case .flaredJeans: allowed = [.belt, .rips, .patch, .buttons]
        case .denimShorts: allowed = [.belt, .turnUps, .patch, .buttons]
        case .chinoShorts, .bermuda: allowed = [.belt, .turnUps, .pockets, .buttons, .drawstring, .sideStripe]
        case .sportShorts: allowed = [.sideStripe, .drawstring, .pockets, .contrastCuffs, .patch]
        case .trench: allowed = [.belt, .pockets, .contrastCollar, .contrastCuffs, .piping]
        case .cocoon, .duffle, .blazer, .bomber: allowed = [.pockets, .piping, .contrastCollar, .contrastCuffs, .belt]
        case .parka: allowed = [.pockets, .drawstring, .contrastCuffs, .patch, .piping]
        case .denimJacket: allowed = [.pockets, .contrastCollar, .patch, .contrastCuffs]
        case .sneaker: allowed = [.laces, .contrastSole, .toeCap, .sideStripe, .patch]
        case .ankleBoot: allowed = [.laces, .zip, .buckle, .contrastSole, .toeCap, .patch]
        case .pump: allowed = [.ankleStrap, .bow, .buckle, .toeCap, .piping]
        case .loafer: allowed = [.tassel, .buckle, .contrastSole, .piping, .toeCap]
        case .sandal: allowed = [.ankleStrap, .buckle, .bow, .contrastSole]
        case .balletFlat: allowed = [.bow, .ankleStrap, .toeCap, .piping, .buckle]
        case .tote: allowed = [.zip, .frontPocket, .patch, .tassel, .piping, .buckle, .bow]
        case .crossbody: allowed = [.chainStrap, .buckle, .tassel, .piping, .frontPocket, .patch]
        case .backpack: allowed = [.frontPocket, .buckle, .patch, .zip, .piping, .tassel]
        case .clutch: allowed = [.bow, .zip, .chainStrap, .tassel, .piping, .buckle]
        case .bucket: allowed = [.drawstring, .tassel, .patch, .chainStrap, .piping, .frontPocket]
        }
        if wearer != .women { allowed.removeAll { [.slit, .laceHem].contains($0) } }
        if wearer == .men { allowed.removeAll { $0 == .bow || $0 == .belt && silhouette.kind == .top } }
        let bare = [Sleeve.none, .strap, .cap, .flutter].contains(sleeve)
        if bare, silhouette.kind.isUpper || silhouette.kind == .skirt { allowed.removeAll { $0 == .contrastCuffs } }
        // A placket has its own buttons, and leaves no room for anything else.
        if neckline == .collar || neckline == .cowl || neckline == .turtleneck {
            allowed.removeAll { [.buttons, .bow, .zip].contains($0) }
        }
        if neckline == .keyhole { allowed.removeAll { $0 == .buttons || $0 == .zip } }
        if neckline == .hood || neckline == .crew && silhouette.kind == .coat { allowed.removeAll { $0 == .contrastCollar } }
        // On a pattern nobody would see it.
        if pattern != .solid { allowed.removeAll { $0 == .chestPrint } }
        return allowed
    }
}
