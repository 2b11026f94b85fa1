import Dispatch
public import Foundation
public import Imaging
import Synchronization

/// What a generated catalogue holds.
public struct BoutiqueOptions: Sendable, Hashable {
    public static let garmentsAllowed = 1...100_000
    public static let viewsAllowed = 2...12
    public static let widthsAllowed = 48...1536

    /// How the folder is laid out.
    public enum Layout: String, Sendable, Hashable, CaseIterable {
        /// A dataset folder with a manifest.
        case catalogue
        /// The official files of DeepFashion's In-shop benchmark: half of the garments to train on, the others as query and gallery;
        /// square pictures.
        case inshop
    }

    public let garments: Int
    /// Pictures per garment and colour.
    public let views: Int
    /// Of every picture, in pixels; the height is a third more.
    public let width: Int
    public let seed: UInt64
    /// Whether all garments are test identities, split into query and gallery: nothing to train on.
    public let testOnly: Bool
    public let layout: Layout

    /// - Parameter width: where it is left out, 384; for `inshop` 192, which makes squares of 256 pixels as the benchmark's are.
    /// - Throws: `AtelierError.option` for a number out of its range.
    public init(
        garments: Int = 360, views: Int = 4, width: Int? = nil, seed: UInt64 = 7, testOnly: Bool = false,
        layout: Layout = .catalogue
    ) throws(AtelierError) {
        let width = width ?? (layout == .inshop ? 192 : 384)
        guard Self.garmentsAllowed.contains(garments) else {
            throw .option(name: "garments", got: garments, allowed: Self.garmentsAllowed)
        }
        guard Self.viewsAllowed.contains(views) else { throw .option(name: "views", got: views, allowed: Self.viewsAllowed) }
        guard Self.widthsAllowed.contains(width) else { throw .option(name: "width", got: width, allowed: Self.widthsAllowed) }
        self.garments = garments
        self.views = views
        self.width = width
        self.seed = seed
        self.testOnly = testOnly
        self.layout = layout
    }

    var words: String {
        let kind = (testOnly ? ", test only" : "") + (layout == .catalogue ? "" : ", layout \(layout.rawValue)")
        return "\(garments) garments, \(views) views, width \(width), seed \(seed)\(kind)"
    }
}

/// What was done.
public struct BoutiqueReport: Sendable, Hashable, Codable {
    public var garments: Int
    public var pictures: Int
    /// Drawn in this run; the others were there.
    public var drawn: Int
    /// Rows of each split, in the order train, val, query, gallery.
    public var train: Int
    public var val: Int
    public var query: Int
    public var gallery: Int
    /// True if `shouldStop` ended the work before the last picture; the manifest is not written then.
    public var stopped: Bool
}

/// A folder with a generated catalogue: `boutique.json` (what it was generated with), `images/`, `sheet.jpg`
/// (a page of fronts), and `manifest.jsonl`, written last. In the layout of In-shop: `boutique.json`, `Img/img/`, `Anno/` and `Eval/`,
/// written last.
public enum Boutique {
    /// Raised with every change of what is drawn, so that no folder mixes pictures of two versions.
    static let version = 3

    /// Writes a catalogue, or goes on with one that was begun with the same options. Pictures that are there stay.
    /// - Parameters:
    ///   - folder: made if it isn't there; an empty folder will do.
    ///   - progress: pictures done, of how many; called on the calling thread. For In-shop's layout their boxes count as much again.
    ///   - shouldStop: asked every few pictures.
    /// - Throws: `notABoutique`, `otherOptions`, `noWrite`, `diskFull`, `noRead`, `drawing`.
    public static func write(
        _ options: BoutiqueOptions, to folder: URL, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
    ) throws(AtelierError) -> BoutiqueReport {
        let files = BoutiqueFiles(path: folder.path)
        try files.claim(marker: marker(options), words: options.words)
        let wardrobe = Wardrobe(
            count: options.garments, seed: options.seed, testOnly: options.testOnly, inShop: options.layout == .inshop)
        let shots = Shot.all(of: wardrobe, views: options.views)
        func count(_ split: String) -> Int { shots.count { $0.split == split } }
        var report = BoutiqueReport(
            garments: options.garments, pictures: shots.count, drawn: 0, train: count("train"), val: count("val"),
            query: count("query"),
            gallery: count("gallery"), stopped: false)
        let missing = shots.filter { !files.contains(path(of: $0, options)) }
        // Boxes take as long as pictures do.
        let work = options.layout == .inshop ? 2 * shots.count : shots.count
        var begin = 0
        while begin < missing.count {
            if shouldStop() {
                report.stopped = true
                return report
            }
            let batch = missing[begin..<min(missing.count, begin + 32)]
            try draw(Array(batch), options, to: files)
            begin += batch.count
            report.drawn = begin
            progress(shots.count - missing.count + begin, work)
        }
        switch options.layout {
        case .catalogue:
            if !files.contains(sheetName) { try files.write(sheet(of: shots, seed: options.seed), to: sheetName) }
            try files.writeIfChanged("manifest.jsonl", shots.map { $0.manifestLine + "\n" }.joined())
        case .inshop:
            report.stopped = try !InShopLayout(shots).write(
                options, to: files, progress: { progress(shots.count + $0, work) }, shouldStop: shouldStop)
        }
        return report
    }

    /// Pictures of so many garments, as different as they come, in memory.
    public static func pictures(
        _ count: Int, seed: UInt64, width: Int = 384, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(AtelierError) -> [RGBImage] {
        let views = View.allCases.count
        let shots = Shot.all(of: Wardrobe(count: count, seed: seed), views: views)
        var pictures: [RGBImage] = []
        for garment in 0..<count {
            // Another view of each, and of its first colour.
            guard let shot = shots.first(where: { $0.garment.index == garment && $0.viewIndex == garment % views }) else {
                continue
            }
            pictures.append(try Studio.draw(shot, seed: seed, width: width))
            progress(pictures.count, count)
        }
        return pictures
    }

    private static func path(of shot: Shot, _ options: BoutiqueOptions) -> String {
        options.layout == .inshop ? InShopLayout.path(of: shot) : shot.path
    }

    /// One page of fronts, a garment each, to see at a glance what the folder holds.
    private static let sheetName = "sheet.jpg"

    private static func sheet(of shots: [Shot], seed: UInt64) throws(AtelierError) -> [UInt8] {
        var pictures: [RGBImage] = []
        for shot in shots where shot.viewIndex == 0 && shot.colorIndex == 0 {
            pictures.append(try Studio.draw(shot, seed: seed, width: 240))
            if pictures.count == 50 { break }
        }
        return try encode(ContactSheet.compose(pictures, columns: 10, cellWidth: 114), quality: 84)
    }

    private static func encode(_ image: RGBImage, quality: Int) throws(AtelierError) -> [UInt8] {
        do { return try ImageEncoder.jpeg(image, quality: quality) } catch { throw .drawing(reason: String(describing: error)) }
    }

    /// Draws on all cores.
    private static func draw(_ shots: [Shot], _ options: BoutiqueOptions, to files: BoutiqueFiles) throws(AtelierError) {
        let failure = Mutex<AtelierError?>(nil)
        DispatchQueue.concurrentPerform(iterations: shots.count) { index in
            do throws(AtelierError) {
                let picture = try Studio.draw(shots[index], seed: options.seed, width: options.width)
                let framed = options.layout == .inshop ? picture.paddedToSquare(red: 255, green: 255, blue: 255) : picture
                try files.write(encode(framed, quality: 90), to: path(of: shots[index], options))
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock(\.self) { throw error }
    }

    private static func marker(_ options: BoutiqueOptions) -> String {
        // Folders of before this choice have no word of it.
        let layout = options.layout == .catalogue ? "" : ", \"layout\": \"\(options.layout.rawValue)\""
        return """
            {"generator": "stylefinder generate", "drawing": \(version), "garments": \(options.garments), "views": \(options.views), \
            "width": \(options.width), "seed": \(options.seed), "test_only": \(options.testOnly)\(layout)}

            """
    }
}
