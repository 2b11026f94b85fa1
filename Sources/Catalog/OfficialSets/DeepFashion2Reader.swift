import Dispatch
import Foundation
import Synchronization

/// DeepFashion2 (Ge et al. 2019): photos with several garments each, every one with a box. Garments of a consumer's and of a shop's photo
/// are the same product where the photos have the same `pair_id` and the garments the same `style` above 0.
extension OfficialSet {
    /// Reads `train/annos/*.json` and `validation/annos/*.json` below a folder; the pictures lie in `image` beside `annos`.
    ///
    /// Every garment is a row with its box as the crop. Of the validation folder consumers' garments are queries and shops' garments the
    /// gallery, those of style 0 among them: they have no counterpart, and are there to be told apart. Elsewhere garments of style 0 are
    /// left out.
    /// Columns of each row: `split`, `source` (`consumer`, `shop`), `category`, `view`, `scale`, `occlusion`, `zoom_in` and `caption`.
    /// - Parameters:
    ///   - progress: files read, of how many; called on the calling thread.
    ///   - shouldStop: asked every few hundred files; what is read is thrown away then.
    /// - Returns: the set, and how many garments of style 0 were left out; `nil` where `shouldStop` ended the reading.
    /// - Throws: `CatalogError`: `sourceMissing`, `officialFileMissing`, `sourceUnreadable`.
    public static func deepFashion2(
        root: String, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
    ) throws(CatalogError) -> (set: OfficialSet, withoutStyle: Int)? {
        var reader = try DeepFashion2Reader(root: root)
        guard try reader.readFiles(progress: progress, shouldStop: shouldStop) else { return nil }
        return reader.finished()
    }
}

struct DeepFashion2Reader {
    /// One of `train` and `validation`.
    private struct Part {
        let isTrain: Bool
        let annotations: String
        let pictures: String
    }

    private struct Garment: Sendable {
        let file: String
        let picture: String
        let name: String
        let isTrain: Bool
        let isConsumer: Bool
        let pair: Int64
        let style: Int64
        /// `item1`
        let key: String
        let category: String
        let box: PixelBox
        let fields: [String: String]
    }

    /// What one file gave.
    private struct Reading: Sendable {
        var garments: [Garment] = []
        var problems: [ManifestProblem] = []
    }

    private let parts: [Part]
    private var set: OfficialSet
    private var garments: [Garment] = []

    init(root: String) throws(CatalogError) {
        let files = try SetFiles(root: root, names: [])
        var parts: [Part] = []
        var set = OfficialSet(root: files.root, source: files.root)
        for folder in files.folders where folder.split(separator: "/").last?.lowercased() == "annos" {
            let above = folder.folderOfPath
            let below = above.dropFirst(files.root.count).lowercased().split(separator: "/")
            guard let name = below.last(where: { ["train", "validation", "val"].contains($0) }) else { continue }
            let pictures = ["image", "images"].map { above + "/" + $0 }.first { PictureFinder.isThere($0) }
            guard let pictures else {
                set.report(folder, nil, "there is no folder image beside it, so none of its garments can be used")
                continue
            }
            parts.append(Part(isTrain: name == "train", annotations: folder, pictures: pictures))
        }
        guard !parts.isEmpty else {
            throw .officialFileMissing(
                .deepFashion2, name: "train/annos or validation/annos beside a folder image", root: files.root, others: [])
        }
        for (isTrain, name) in [(true, "train"), (false, "validation")] {
            let found = parts.filter { $0.isTrain == isTrain }
            if found.isEmpty {
                set.remark(
                    files.root, nil, "there is no \(name)/annos below it: no row is for \(isTrain ? "training" : "the test")")
            }
            if found.count > 1 { throw .officialFileTwice(name: "\(name)/annos", paths: found.map(\.annotations)) }
        }
        self.parts = parts
        self.set = set
    }

    mutating func readFiles(progress: (Int, Int) -> Void, shouldStop: () -> Bool) throws(CatalogError) -> Bool {
        var files: [(part: Part, name: String)] = []
        for part in parts {
            do throws(FileStatus.Failure) {
                let names = try FileStatus.names(inFolder: part.annotations).names.filter {
                    $0.pathExtension.lowercased() == "json"
                }
                set.expect(
                    "\(part.isTrain ? "train" : "validation") pictures", part.isTrain ? 191_961 : 32_153, found: names.count)
                files += names.filter { !$0.hasPrefix(".") }.map { (part, $0) }
            } catch {
                throw .sourceUnreadable(path: part.annotations, reason: error.reason)
            }
        }
        set.remarkDeviations(of: "DeepFashion2")
        let batch = 512
        for start in stride(from: 0, to: files.count, by: batch) {
            if shouldStop() { return false }
            let count = min(batch, files.count - start)
            let readings = Mutex([Reading](repeating: Reading(), count: count))
            let slice = Array(files[start..<(start + count)])
            DispatchQueue.concurrentPerform(iterations: count) { index in
                let reading = Self.read(slice[index].name, slice[index].part)
                readings.withLock { $0[index] = reading }
            }
            for reading in readings.withLock(\.self) {
                garments += reading.garments
                set.problems += reading.problems
                set.unread += reading.problems.count
            }
            progress(start + count, files.count)
        }
        return true
    }

    // MARK: One file

    private static func read(_ name: String, _ part: Part) -> Reading {
        let file = part.annotations + "/" + name
        var reading = Reading()
        func report(_ line: Int?, _ message: String) {
            reading.problems.append(ManifestProblem(source: file, line: line, message: message))
        }
        let bytes: [UInt8]
        do throws(FileStatus.Failure) { bytes = [UInt8](try FileStatus.read(file, limit: 64 << 20).bytes) } catch {
            report(nil, "it cannot be read (\(error.reason))")
            return reading
        }
        let object: [String: JSONValue]
        let piece = JSONRecords.Piece(line: 1, bytes: bytes[...])
        switch JSONRecords.object(piece, like: "{\"source\": …, \"pair_id\": …, \"item1\": …}") {
        case .failure(let failure):
            report(failure.line, failure.reason)
            return reading
        case .success(let parsed): object = parsed.object
        }
        guard case .text(let source)? = object["source"], ["user", "shop"].contains(source) else {
            report(nil, "its 'source' is \(Self.found(object["source"])), expected \"user\" or \"shop\"")
            return reading
        }
        guard case .integer(let pair)? = object["pair_id"] else {
            report(nil, "its 'pair_id' is \(Self.found(object["pair_id"])), expected a whole number")
            return reading
        }
        let stem = name.withoutPathExtension
        guard let picture = ["jpg", "jpeg", "png"].map({ "\(part.pictures)/\(stem).\($0)" }).first(where: PictureFinder.isThere)
        else {
            report(nil, "its picture is not there; expected the file \(part.pictures)/\(stem).jpg")
            return reading
        }
        let folder = part.isTrain ? "train" : "validation"
        for (number, key) in object.keys.compactMap({ key in Int(key.dropFirst(4)).map { ($0, key) } }).sorted(by: { $0.0 < $1.0 }
        )
        where key.hasPrefix("item") {
            guard case .object(let item)? = object[key] else {
                report(nil, "its '\(key)' is \(Self.found(object[key])), expected an object")
                continue
            }
            guard case .integer(let style)? = item["style"], style >= 0 else {
                report(nil, "the 'style' of '\(key)' is \(Self.found(item["style"])), expected a whole number from 0")
                continue
            }
            guard case .list(let corners)? = item["bounding_box"], let box = PixelBox(corners.map(Self.found)) else {
                report(nil, "the 'bounding_box' of '\(key)' is \(Self.found(item["bounding_box"])), expected [x1, y1, x2, y2]")
                continue
            }
            guard box.hasArea else {
                report(nil, "the 'bounding_box' of '\(key)' is [\(box)], which has no area")
                continue
            }
            guard let category = Self.category(item) else {
                report(nil, "'\(key)' has no 'category_name'")
                continue
            }
            reading.garments.append(
                Garment(
                    file: file, picture: picture, name: "\(folder)/\(stem)-\(number)", isTrain: part.isTrain,
                    isConsumer: source == "user",
                    pair: pair, style: style, key: key, category: category, box: box, fields: Self.fields(item)))
        }
        return reading
    }

    /// A value for a sentence, and a number as text.
    private static func found(_ value: JSONValue?) -> String {
        switch value {
        case nil: "missing"
        case .text(let text)?: "\"\(text)\""
        case .integer(let number)?: String(number)
        case .number(let number)?: String(number)
        case .truth(let truth)?: String(truth)
        case .list(let values)?: "[" + values.prefix(6).map { found($0) }.joined(separator: ", ") + "]"
        case .object?: "an object"
        case .null?: "null"
        }
    }

    private static let categories = [
        "short sleeve top", "long sleeve top", "short sleeve outwear", "long sleeve outwear", "vest", "sling", "shorts",
        "trousers", "skirt",
        "short sleeve dress", "long sleeve dress", "vest dress", "sling dress",
    ]

    private static func category(_ item: [String: JSONValue]) -> String? {
        if case .text(let name)? = item["category_name"], !name.isEmpty { return name.oneSpelling }
        guard case .integer(let id)? = item["category_id"], (1...Int64(categories.count)).contains(id) else { return nil }
        return categories[Int(id) - 1]
    }

    /// What the numbers of the annotation mean.
    private static let meanings: [(key: String, column: String, words: [String])] = [
        ("viewpoint", "view", ["flat", "front", "side or back"]),
        ("scale", "scale", ["small", "modest", "large"]),
        ("occlusion", "occlusion", ["slight", "medium", "heavy"]),
        ("zoom_in", "zoom_in", ["none", "medium", "large"]),
    ]

    private static func fields(_ item: [String: JSONValue]) -> [String: String] {
        var fields: [String: String] = [:]
        for (key, column, words) in meanings {
            guard case .integer(let number)? = item[key], (1...3).contains(number) else { continue }
            fields[column] = words[Int(number) - 1]
        }
        return fields
    }

    // MARK: Products

    private struct Style: Hashable {
        let isTrain: Bool
        let pair: Int64
        let style: Int64
    }

    mutating func finished() -> (set: OfficialSet, withoutStyle: Int) {
        let mixed = stylesOfSeveralGarments()
        var withoutStyle = 0
        var asked: [String: String] = [:]
        var hung: Set<String> = []
        for garment in garments {
            guard garment.style > 0 || (!garment.isTrain && !garment.isConsumer) else {
                withoutStyle += 1
                continue
            }
            var product = "\(garment.pair)-\(garment.style)"
            if garment.style == 0 {
                product = "\(garment.pair)-0-\(garment.name.split(separator: "/").last ?? "")"
            } else if mixed.contains(Style(isTrain: garment.isTrain, pair: garment.pair, style: garment.style)) {
                product += "-" + garment.category.replacing(" ", with: "-")
            }
            // Nothing says that a pair's number means the same clothes in both folders.
            product = (garment.isTrain ? "train-" : "validation-") + product
            let split = garment.isTrain ? "train" : garment.isConsumer ? "query" : "gallery"
            if split == "query", asked[product] == nil { asked[product] = garment.file }
            if split == "gallery" { hung.insert(product) }
            var fields = garment.fields
            fields["split"] = split
            fields["source"] = garment.isConsumer ? "consumer" : "shop"
            fields["category"] = garment.category
            fields["caption"] = "A photo of \(garment.category)"
            set.rows.append(
                OfficialSet.Row(
                    line: nil, name: garment.name, path: garment.picture, productID: product, fields: fields, crop: garment.box))
        }
        let lost = asked.filter { !hung.contains($0.key) }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        if let first = lost.first {
            set.remark(
                first.value, nil,
                "\(OfficialSet.grouped(lost.count)) products are in a consumer's photo of the validation and in no shop's, so they can't be found; the first is \(first.key)"
            )
        }
        if !mixed.isEmpty {
            set.remark(
                set.root, nil,
                "\(OfficialSet.grouped(mixed.count)) styles of a pair are given to garments of several categories within one photo; the category tells them apart"
            )
        }
        return (set, withoutStyle)
    }

    /// Styles that one photo gives to garments of different categories, which can't be one product.
    private func stylesOfSeveralGarments() -> Set<Style> {
        var categories: [String: [Style: String]] = [:]
        var mixed: Set<Style> = []
        for garment in garments where garment.style > 0 {
            let style = Style(isTrain: garment.isTrain, pair: garment.pair, style: garment.style)
            let earlier = categories[garment.file, default: [:]].updateValue(garment.category, forKey: style)
            if let earlier, earlier != garment.category { mixed.insert(style) }
        }
        return mixed
    }
}
