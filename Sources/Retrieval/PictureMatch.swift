import Foundation

/// Which row of an embedding file is the vector of which picture.
///
/// A name in the file is an absolute path, or one that begins at the folder of the manifest that lists the picture; `.` and `..` are
/// taken out of it. An absolute path through a symbolic link of its folder also means the file it leads to. Rows of one picture must
/// agree; the first counts.
public struct PictureMatch: Sendable {
    /// A picture that may have a row.
    public struct Picture: Sendable, Hashable {
        /// Absolute, without `.` and `..`.
        public let path: String
        /// What relative names of this picture begin at: its manifest's folder.
        public let folder: String

        public init(path: String, folder: String) {
            self.path = path
            self.folder = folder
        }
    }

    /// How far apart two unit vectors of one picture may be: what 16-bit numbers and another batch cost. Those of two pictures are many times
    /// that apart.
    public static let tolerance = 0.01

    public let file: EmbeddingFile
    /// Rows of the file that no picture has, in order.
    public let extra: [Int]
    private let path: String
    private let rows: [String: Int]

    /// - Parameters:
    ///   - path: the file's, for errors.
    ///   - pictures: the same one may stand twice.
    /// - Throws: `.differingVectors`; `.ambiguousName` where a relative name fits pictures of two folders.
    public init(_ file: EmbeddingFile, path: String, pictures: some Sequence<Picture>) throws(RetrievalError) {
        var folders: [String: String] = [:]
        for picture in pictures { folders[picture.path] = picture.folder }
        // In a fixed order, so that an error always names the same pictures.
        let bases = Set(folders.values).sorted()
        var links: [String: String] = [:]
        var rows: [String: Int] = [:]
        var extra: [Int] = []
        for (row, name) in file.names.enumerated() {
            let hits: [String]
            if name.hasPrefix("/") {
                let absolute = Self.plain(name)
                hits = [absolute, Self.behindLinks(absolute, &links)].filter { folders[$0] != nil }
            } else {
                hits = bases.compactMap { base in
                    let absolute = Self.plain(base + "/" + name)
                    return folders[absolute] == base ? absolute : nil
                }
                guard hits.count < 2 else { throw .ambiguousName(path: path, name: name, first: hits[0], second: hits[1]) }
            }
            if hits.isEmpty { extra.append(row) }
            for hit in hits {
                let first = rows[hit, default: row]
                rows[hit] = first
                guard first == row || Self.distance(file.vector(first), file.vector(row)) <= Self.tolerance else {
                    throw .differingVectors(path: path, image: name, first: first, second: row)
                }
            }
        }
        self.file = file
        self.path = path
        self.rows = rows
        self.extra = extra
    }

    /// Whether no picture has a row.
    public var isEmpty: Bool { rows.isEmpty }

    /// The vector of a picture; nil where the file has no row of it.
    public subscript(picture: String) -> ArraySlice<Float>? { rows[picture].map(file.vector) }

    /// What to say about the rows that no picture has; nil where there are none.
    /// - Parameter place: where the pictures are listed.
    public func extraRows(in place: String) -> String? {
        extra.first.map { first in
            "\(extra.count) of the \(file.count) rows of \(path) are of no picture in \(place) and are ignored, the first is \(file.names[first])"
        }
    }

    private static func distance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }.squareRoot()
    }

    /// An absolute path without `.`, `..` and empty parts, as a manifest's reader makes them.
    private static func plain(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The path with its folder's symbolic links followed; each folder is asked for once.
    private static func behindLinks(_ path: String, _ known: inout [String: String]) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = String(path[..<slash])
        let real = known[folder] ?? URL(fileURLWithPath: folder + "/").resolvingSymlinksInPath().path
        known[folder] = real
        return (real == "/" ? "" : real) + path[slash...]
    }
}
