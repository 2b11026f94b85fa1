/// What the official files of a benchmark say, picture by picture, before anything is written.
///
/// The readers stand beside this file, one a benchmark. They only read. A bad row is told and left out; a file without which no row has a
/// meaning is an error.
public struct OfficialSet: Sendable {
    /// One picture, or one garment in it, as the official files have it.
    public struct Row: Sendable, Hashable {
        /// 1-based, in the file that lists it; `nil` where each picture has a file of its own.
        public var line: Int?
        /// The picture's name in the set: without a leading `img/`, separated by `/`.
        public var name: String
        /// Absolute path of the picture.
        public var path: String
        public var productID: String
        /// The columns of the manifest; `split` is missing where the row is used for nothing.
        public var fields: [String: String]
        /// The part of the picture that the row is about, in its pixels; `nil` for all of it.
        public var crop: PixelBox?
    }

    /// What the published description of a set says, and what was found instead.
    public struct Deviation: Sendable, Hashable, Codable {
        public var what: String
        public var published: Int
        public var found: Int
    }

    /// The folder that was searched, absolute, without symbolic links.
    public let root: String
    /// The file or folder that lists the pictures.
    public let source: String
    public internal(set) var rows: [Row] = []
    /// What contradicts itself or is lost, with file and line.
    public internal(set) var problems: [ManifestProblem] = []
    /// What is missing and need not be there, and what differs from the published set.
    public internal(set) var remarks: [ManifestProblem] = []
    /// The counts that differ from the published ones.
    public internal(set) var deviations: [Deviation] = []
    /// How many listed pictures are lost.
    public internal(set) var unread = 0

    init(root: String, source: String) {
        self.root = root
        self.source = source
    }

    mutating func report(_ file: String, _ line: Int?, _ message: String) {
        problems.append(ManifestProblem(source: file, line: line, message: message))
    }

    mutating func remark(_ file: String, _ line: Int?, _ message: String) {
        remarks.append(ManifestProblem(source: file, line: line, message: message))
    }

    /// Compares a count with the published one.
    mutating func expect(_ what: String, _ published: Int, found: Int) {
        if found != published { deviations.append(Deviation(what: what, published: published, found: found)) }
    }

    /// One remark with every count that differs: a part of a set, or one laid out like it, is no fault.
    mutating func remarkDeviations(of name: String) {
        guard !deviations.isEmpty else { return }
        let counts = deviations.map { "\(Self.grouped($0.found)) \($0.what) where \(Self.grouped($0.published)) are published" }
        remark(source, nil, "this is not the whole \(name) as published: it has \(counts.joined(separator: ", "))")
    }

    /// `52712` as `52,712`.
    static func grouped(_ number: Int) -> String {
        let digits = String(abs(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    // MARK: Counts

    public struct Count: Sendable, Hashable, Codable {
        public var pictures = 0
        public var products = 0

        public init() {}
    }

    /// Pictures and products by split; rows without one under `nil`.
    public var counts: [String?: Count] {
        var counts: [String?: Count] = [:]
        var seen: [String?: Set<String>] = [:]
        for row in rows {
            let split = row.fields["split"]
            counts[split, default: Count()].pictures += 1
            if seen[split, default: []].insert(row.productID).inserted { counts[split, default: Count()].products += 1 }
        }
        return counts
    }
}

/// A rectangle in the pixels of a picture: from (x1, y1) to (x2, y2), x to the right and y down, the second corner not included.
public struct PixelBox: Sendable, Hashable, CustomStringConvertible {
    public var x1: Double
    public var y1: Double
    public var x2: Double
    public var y2: Double

    public init(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
        self.x1 = x1
        self.y1 = y1
        self.x2 = x2
        self.y2 = y2
    }

    /// Four numbers; `nil` where there are more or fewer, or one is none.
    init?(_ texts: some Sequence<some StringProtocol>) {
        let numbers = texts.map { Double($0) }
        guard numbers.count == 4, let x1 = numbers[0], let y1 = numbers[1], let x2 = numbers[2], let y2 = numbers[3],
            [x1, y1, x2, y2].allSatisfy({ $0.isFinite && abs($0) < 1e9 })
        else { return nil }
        self.init(x1, y1, x2, y2)
    }

    public var hasArea: Bool { x2 > x1 && y2 > y1 }

    /// The whole pixels that the box touches, within a picture; `nil` where it touches none.
    public func pixels(in size: PictureSize) -> (x: Int, y: Int, width: Int, height: Int)? {
        guard hasArea else { return nil }
        let (left, top) = (max(0, Int(x1.rounded(.down))), max(0, Int(y1.rounded(.down))))
        let (right, bottom) = (min(size.width, Int(x2.rounded(.up))), min(size.height, Int(y2.rounded(.up))))
        guard right > left, bottom > top else { return nil }
        return (left, top, right - left, bottom - top)
    }

    /// `12,30,200,240`: what the column `box` holds.
    public var description: String { [x1, y1, x2, y2].map(Column.number).joined(separator: ",") }
}
