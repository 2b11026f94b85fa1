import Catalog
import Dispatch
import Foundation
import Imaging
import Synchronization

/// Reads many pictures on all cores, as the `prepare` commands do.
enum PictureReading {
    /// The upright size of each picture by its header, or why it can't be read.
    /// - Returns: as many as there are paths; `nil` where `shouldStop` ended the reading.
    static func sizes(
        of paths: [String], progress: (Int, Int) -> Void, shouldStop: () -> Bool
    ) -> [Result<PictureSize, ImageError>]? {
        inBatches(paths, progress: progress, shouldStop: shouldStop) { path in
            Result { () throws(ImageError) in
                let header = try ImageDecoder.header(ofFile: path, limits: .ownFiles)
                return PictureSize(width: header.uprightWidth, height: header.uprightHeight)
            }
        }
    }

    /// Does something for each of many things, some dozens at a time, so that a wish to stop is soon met.
    /// - Returns: the outcomes in order; `nil` where `shouldStop` ended the work.
    static func inBatches<Thing: Sendable, Outcome: Sendable>(
        _ things: [Thing], progress: (Int, Int) -> Void, shouldStop: () -> Bool, _ work: @Sendable (Thing) -> Outcome
    ) -> [Outcome]? {
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(things.count)
        for start in stride(from: 0, to: things.count, by: 64) {
            if shouldStop() { return nil }
            let batch = Array(things[start..<min(things.count, start + 64)])
            let done = Mutex([Outcome?](repeating: nil, count: batch.count))
            DispatchQueue.concurrentPerform(iterations: batch.count) { index in
                let outcome = work(batch[index])
                done.withLock { $0[index] = outcome }
            }
            outcomes += done.withLock { $0.compactMap(\.self) }
            progress(outcomes.count, things.count)
        }
        return outcomes
    }
}

/// Cuts garments out of their pictures and writes them into a dataset folder.
struct CropWriter {
    /// What becomes of a row whose box lies outside of its picture.
    enum Outside { case takenWhole, leftOut }

    struct Counts: Encodable {
        var written = 0
        /// Of an earlier run.
        var kept = 0
    }

    /// JPEG's quality of the crops: they are decoded again for every use, and a second compression should not show.
    private static let quality = 95

    private enum Outcome: Sendable { case written, kept, outside(PictureSize), broken(String) }

    private struct Garment: Sendable {
        let row: Int
        let box: PixelBox
        let name: String
    }

    /// Where the crop of a row lies in the folder; the box is part of the name, so that another box is another file.
    static func name(of row: OfficialSet.Row) -> String? {
        row.crop.map { box in
            let stem = row.name.split(separator: "/").map(String.init)
            let file = stem.last.map { name in name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name } ?? ""
            let numbers = box.description.replacing(",", with: "_")
            return (["crops"] + stem.dropLast() + ["\(file)-\(numbers).jpg"]).joined(separator: "/")
        }
    }

    /// Writes the crops of all rows that have one. A picture with several garments is decoded once.
    /// - Returns: `nil` where `shouldStop` ended the work; what was written stays.
    /// - Throws: `CatalogError.outputFull`, `outputUnwritable`.
    static func write(
        _ set: inout OfficialSet, to folder: PreparedFolder, outside: Outside, progress: (Int, Int) -> Void,
        shouldStop: () -> Bool
    ) throws -> Counts? {
        var order: [String] = []
        var garments: [String: [Garment]] = [:]
        for (index, row) in set.rows.enumerated() {
            guard let box = row.crop, let name = Self.name(of: row) else { continue }
            if garments[row.path] == nil { order.append(row.path) }
            garments[row.path, default: []].append(Garment(row: index, box: box, name: name))
        }
        let failure = Mutex<CatalogError?>(nil)
        let pictures = order.map { (path: $0, garments: garments[$0] ?? []) }
        let outcomes = PictureReading.inBatches(
            pictures, progress: progress, shouldStop: { shouldStop() || failure.withLock { $0 != nil } }
        ) { picture -> [(Int, Outcome)] in
            do throws(CatalogError) { return try crop(picture.path, picture.garments, to: folder) } catch {
                failure.withLock { $0 = $0 ?? error }
                return []
            }
        }
        if let error = failure.withLock(\.self) { throw error }
        guard let outcomes else { return nil }
        var counts = Counts()
        var broken: [Int: String] = [:]
        var whole: [Int: String] = [:]
        for (row, outcome) in outcomes.flatMap(\.self) {
            switch outcome {
            case .written: counts.written += 1
            case .kept: counts.kept += 1
            case .broken(let reason): broken[row] = "can't be read (\(reason))"
            case .outside(let size):
                let box = set.rows[row].crop?.description ?? ""
                let place = "its box \(box) lies outside of its \(size.width) × \(size.height) pixels"
                if outside == .takenWhole { whole[row] = place } else { broken[row] = "is left out, for \(place)" }
            }
        }
        set.takeWhole(whole)
        set.leaveOut(broken)
        return counts
    }

    private static func crop(
        _ path: String, _ garments: [Garment], to folder: PreparedFolder
    ) throws(CatalogError) -> [(Int, Outcome)] {
        let isCurrent = garments.map { folder.isCurrent($0.name, madeOf: path) }
        if !isCurrent.contains(false) { return garments.map { ($0.row, .kept) } }
        let image: RGBImage
        do throws(ImageError) { image = try ImageDecoder.decode(contentsOfFile: path, limits: .ownFiles) } catch {
            return garments.map { ($0.row, .broken(reason(error))) }
        }
        let size = PictureSize(width: image.width, height: image.height)
        var outcomes: [(Int, Outcome)] = []
        for (garment, isCurrent) in zip(garments, isCurrent) {
            if isCurrent {
                outcomes.append((garment.row, .kept))
                continue
            }
            guard let part = garment.box.pixels(in: size) else {
                outcomes.append((garment.row, .outside(size)))
                continue
            }
            let crop = image.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
            let bytes: [UInt8]
            do throws(ImageError) { bytes = try ImageEncoder.jpeg(crop, quality: quality) } catch {
                outcomes.append((garment.row, .broken(reason(error))))
                continue
            }
            try folder.write(Data(bytes), to: garment.name)
            outcomes.append((garment.row, .written))
        }
        return outcomes
    }

    /// Without the path, which stands in the sentence already.
    static func reason(_ error: ImageError) -> String {
        guard case .inFile(_, let inner) = error else { return String(describing: error) }
        return String(describing: inner)
    }
}
