import Dispatch
public import Foundation
import Imaging
import Synchronization

/// What a generated catalogue holds.
public struct BoutiqueOptions: Sendable, Hashable {
    public static let garmentsAllowed = 1...100_000
    public static let viewsAllowed = 2...12

    public let garments: Int
    /// Pictures per garment and colour.
    public let views: Int
    public let seed: UInt64
    /// Whether all garments are test identities, split into query and gallery: nothing to train on.
    public let testOnly: Bool

    /// - Throws: `AtelierError.option` for a number out of its range.
    public init(garments: Int = 360, views: Int = 4, seed: UInt64 = 7, testOnly: Bool = false) throws(AtelierError) {
        guard Self.garmentsAllowed.contains(garments) else {
            throw .option(name: "garments", got: garments, allowed: Self.garmentsAllowed)
        }
        guard Self.viewsAllowed.contains(views) else { throw .option(name: "views", got: views, allowed: Self.viewsAllowed) }
        self.garments = garments
        self.views = views
        self.seed = seed
        self.testOnly = testOnly
    }

    var words: String { "\(garments) garments, \(views) views, seed \(seed)\(testOnly ? ", test only" : "")" }
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

/// A folder with a generated catalogue: `boutique.json` (what it was generated with), `images/`, and `manifest.jsonl`, written last.
public enum Boutique {
    /// Raised with every change of what is drawn, so that no folder mixes pictures of two versions.
    static let version = 1

    /// Writes a catalogue, or goes on with one that was begun with the same options. Pictures that are there stay.
    /// - Parameters:
    ///   - folder: made if it isn't there; an empty folder will do.
    ///   - progress: pictures done, of how many; called on the calling thread.
    ///   - shouldStop: asked every few pictures.
    /// - Throws: `notABoutique`, `otherOptions`, `noWrite`, `diskFull`, `noRead`, `drawing`.
    public static func write(
        _ options: BoutiqueOptions, to folder: URL, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
    ) throws(AtelierError) -> BoutiqueReport {
        let files = BoutiqueFiles(path: folder.path)
        try files.claim(marker: marker(options), words: options.words)
        let wardrobe = Wardrobe(count: options.garments, seed: options.seed, testOnly: options.testOnly)
        let shots = Shot.all(of: wardrobe, views: options.views)
        func count(_ split: String) -> Int { shots.count { $0.split == split } }
        var report = BoutiqueReport(
            garments: options.garments, pictures: shots.count, drawn: 0, train: count("train"), val: count("val"),
            query: count("query"),
            gallery: count("gallery"), stopped: false)
        let present = try files.pictures()
        let missing = shots.filter { !present.contains($0.path) }
        var begin = 0
        while begin < missing.count {
            if shouldStop() {
                report.stopped = true
                return report
            }
            let batch = missing[begin..<min(missing.count, begin + 32)]
            try draw(Array(batch), seed: options.seed, to: files)
            begin += batch.count
            report.drawn = begin
            progress(shots.count - missing.count + begin, shots.count)
        }
        try files.writeIfChanged("manifest.jsonl", shots.map { $0.manifestLine + "\n" }.joined())
        return report
    }

    /// Draws on all cores.
    private static func draw(_ shots: [Shot], seed: UInt64, to files: BoutiqueFiles) throws(AtelierError) {
        let failure = Mutex<AtelierError?>(nil)
        DispatchQueue.concurrentPerform(iterations: shots.count) { index in
            do throws(AtelierError) {
                let image = try Studio.draw(shots[index], seed: seed)
                let bytes: [UInt8]
                do { bytes = try ImageEncoder.jpeg(image, quality: 90) } catch {
                    throw .drawing(reason: String(describing: error))
                }
                try files.write(bytes, to: shots[index].path)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock(\.self) { throw error }
    }

    private static func marker(_ options: BoutiqueOptions) -> String {
        """
        {"generator": "stylefinder generate", "drawing": \(version), "garments": \(options.garments), "views": \(options.views), \
        "seed": \(options.seed), "test_only": \(options.testOnly)}

        """
    }
}
