import Dispatch
import Synchronization

/// The official files of DeepFashion's In-shop benchmark, of garments that were drawn: what reads the benchmark reads these.
struct InShopLayout {
    private let shots: [Shot]

    /// The side of the square in which boxes are given, whatever size the pictures have.
    private static let frame = 256.0

    init(_ shots: [Shot]) { self.shots = shots }

    // MARK: Names

    /// `Img/img/WOMEN/Dresses/id_00000001/01_1_front.jpg`: colour, number and pose.
    static func path(of shot: Shot) -> String { "Img/" + name(of: shot) }

    private static func name(of shot: Shot) -> String {
        let pose = pose(of: shot)
        let round = shot.viewIndex / View.allCases.count
        // The benchmark's numbers belong to poses; a second picture of a pose is numbered ten higher.
        let owner = shot.garment.design.wearer == .men ? "MEN" : "WOMEN"
        let folder = "img/\(owner)/\(category(shot.garment.design))/\(item(shot.garment))"
        return "\(folder)/\(padded(shot.colorIndex + 1, to: 2))_\(pose.number + 10 * round)_\(pose.word).jpg"
    }

    private static func item(_ garment: Garment) -> String { "id_" + padded(garment.index + 1, to: 8) }

    private static func padded(_ number: Int, to digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Pose type, number and word of a file's name. A front without a body is the benchmark's "stand-alone".
    private static func pose(of shot: Shot) -> (type: Int, number: Int, word: String) {
        switch shot.view {
        case .main: [.hanger, .flat].contains(shot.presentation) ? (6, 6, "flat") : (1, 1, "front")
        case .side: (2, 2, "side")
        case .back: (3, 3, "back")
        case .detail: (5, 7, "additional")
        }
    }

    /// Whether the benchmark has such garments: it knows clothes of women and men alone.
    static func knows(_ kind: Kind, _ wearer: Wearer) -> Bool { !kind.isAccessory && wearer != .kids }

    /// One of the benchmark's own categories.
    private static func category(_ design: Design) -> String {
        let isMen = design.wearer == .men
        if design.silhouette.isDenim, design.kind == .trousers { return "Denim" }
        switch design.kind {
        case .dress: return "Dresses"
        case .skirt: return "Skirts"
        case .trousers: return "Pants"
        case .shorts: return "Shorts"
        case .coat: return isMen ? "Jackets_Vests" : "Jackets_Coats"
        case .top, .shoes, .bag: break
        }
        return switch design.silhouette {
        case .tee, .crop, .camisole: "Tees_Tanks"
        case .sweater: "Sweaters"
        case .hoodie: "Sweatshirts_Hoodies"
        default: isMen ? "Shirts_Polos" : "Blouses_Shirts"
        }
    }

    /// 1 upper body, 2 lower body, 3 full body.
    private static func clothesType(_ design: Design) -> Int {
        switch design.kind {
        case .top, .coat, .shoes, .bag: 1
        case .skirt, .trousers, .shorts: 2
        case .dress: 3
        }
    }

    // MARK: Files

    /// The list of splits comes last: a folder with it is complete.
    /// - Parameter progress: how many of the pictures' boxes are known.
    /// - Returns: false where `shouldStop` ended the work; the same call goes on with what lacks.
    func write(
        _ options: BoutiqueOptions, to files: BoutiqueFiles, progress: (Int) -> Void, shouldStop: () -> Bool
    ) throws(AtelierError) -> Bool {
        if !files.contains("Anno/list_bbox_inshop.txt") {
            guard let boxes = try boxes(options, progress: progress, shouldStop: shouldStop) else { return false }
            try files.writeIfChanged("Anno/list_bbox_inshop.txt", boxes)
        }
        progress(shots.count)
        try files.writeIfChanged("Anno/list_color_cloth.txt", colors)
        try files.writeIfChanged("Anno/list_item_inshop.txt", items)
        try files.writeIfChanged("Anno/list_description_inshop.json", descriptions)
        try files.writeIfChanged("Eval/list_eval_partition.txt", partition)
        return true
    }

    private func table(_ header: String, _ rows: [String]) -> String {
        "\(rows.count)\n\(header)\n" + rows.map { $0 + "\n" }.joined()
    }

    private var partition: String {
        table(
            "image_name item_id evaluation_status",
            shots.map { "\(Self.name(of: $0)) \(Self.item($0.garment)) \($0.split)" })
    }

    private var colors: String {
        table("image_name color", shots.map { "\(Self.name(of: $0))  \($0.color.rawValue)" })
    }

    private var garments: [Garment] {
        var seen: Set<Int> = []
        return shots.map(\.garment).filter { seen.insert($0.index).inserted }
    }

    private var items: String { "\(garments.count)\n" + garments.map { Self.item($0) + "\n" }.joined() }

    /// The colour is one of the garment's, as in the benchmark. None of our texts holds a quote, a backslash or a control character.
    private var descriptions: String {
        let entries = garments.map { garment in
            let lines = Captions.description(garment.design, brand: garment.brand).map { "\"\($0)\"" }.joined(separator: ", ")
            return
                "{\"item\": \"\(Self.item(garment))\", \"color\": \"\(garment.colors[0].rawValue)\", \"description\": [\(lines)]}"
        }
        return "[\n" + entries.joined(separator: ",\n") + "\n]\n"
    }

    /// Draws every garment once more, alone, to see where it is.
    private func boxes(
        _ options: BoutiqueOptions, progress: (Int) -> Void, shouldStop: () -> Bool
    ) throws(AtelierError) -> String? {
        // The picture stands in the middle of a square as long as its height.
        let height = (options.width * 4 + 2) / 3
        let margin = Double((height - options.width) / 2)
        let scale = Self.frame / Double(height)
        func place(_ pixels: Int, _ margin: Double) -> Int { Int(((Double(pixels) + margin) * scale).rounded()) }
        var rows: [String] = []
        for start in stride(from: 0, to: shots.count, by: 64) {
            if shouldStop() { return nil }
            let batch = Array(shots[start..<min(shots.count, start + 64)])
            let outcomes = Mutex([Result<PixelRectangle?, AtelierError>?](repeating: nil, count: batch.count))
            DispatchQueue.concurrentPerform(iterations: batch.count) { index in
                let outcome = Result { () throws(AtelierError) in
                    try Studio.garmentBounds(batch[index], seed: options.seed, width: options.width)
                }
                outcomes.withLock { $0[index] = outcome }
            }
            for (shot, outcome) in zip(batch, outcomes.withLock(\.self)) {
                guard let outcome, let box = try outcome.get() else { continue }
                let corners = [
                    place(box.x, margin), place(box.y, 0), place(box.x + box.width, margin), place(box.y + box.height, 0),
                ]
                rows.append(
                    "\(Self.name(of: shot)) \(Self.clothesType(shot.garment.design)) \(Self.pose(of: shot).type) "
                        + corners.map(String.init).joined(separator: " "))
            }
            progress(start + batch.count)
        }
        return table("image_name clothes_type pose_type x_1 y_1 x_2 y_2", rows)
    }
}
