// The parts of a path's text. `NSString` knows them too, but ends the process at a name that ends in several slashes, and names come from outside.

extension String {
    /// The folder that the last part lies in: `/` for what lies there, empty for a lone name. Slashes at the end count for nothing.
    var folderOfPath: String {
        let path = self[..<endOfPath]
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path.isEmpty && !isEmpty ? "/" : "" }
        let folder = String(path[..<slash])
        let end = folder.endOfPath
        return end == folder.startIndex ? "/" : String(folder[..<end])
    }

    /// `JPG` of `Men/shirt.JPG`; empty where the last part has no ending. A dot that a name begins with makes none.
    var pathExtension: String { nameAndEnding.ending }

    /// The path without its ending, the dot included.
    var withoutPathExtension: String { nameAndEnding.name }

    private var nameAndEnding: (name: String, ending: String) {
        let path = self[..<endOfPath]
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return (String(path), "") }
        return (String(path[..<dot]), String(name[name.utf8.index(after: dot)...]))
    }

    /// Where the slashes at the end begin.
    private var endOfPath: Index {
        utf8.lastIndex { $0 != UInt8(ascii: "/") }.map { utf8.index(after: $0) } ?? startIndex
    }
}
