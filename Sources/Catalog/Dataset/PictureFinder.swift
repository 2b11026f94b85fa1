import Foundation

/// Finds the file that a row's `image` names.
///
/// Names are taken as they are written. Where no file of that name lies there, the other spelling of an umlaut (Unicode normalisation), and `\`
/// as the separator of folders, are tried.
struct PictureFinder {
    /// Where relative paths begin; absolute.
    let folder: String
    /// Names in the folders that were searched.
    private var names: [ExactText: [String]] = [:]

    init(folder: String) { self.folder = folder }

    /// The absolute path, or why the text names no file. Nothing need lie there.
    mutating func path(of image: String) -> Result<String, Column.Reason> {
        guard !image.utf8.contains(0) else { return .failure(Column.Reason("the image's path holds a zero byte")) }
        if image.lowercased().hasPrefix("file://") {
            guard let path = URL(string: image)?.path, path.hasPrefix("/") else {
                return .failure(Column.Reason("the image \(image) is an address of no file; name the file by its path"))
            }
            return .success(absolute(path))
        }
        if let scheme = Self.scheme(of: image) {
            return .failure(
                Column.Reason(
                    "the image \(image) is an address (\(scheme)), and addresses are not fetched; download the picture and name the file"
                ))
        }
        let plain = absolute(image)
        // Nearly every row: no second look at the disk.
        if image.isASCII, !image.utf8.contains(where: { Self.unusual.contains($0) }) { return .success(plain) }
        if Self.isThere(plain) { return .success(plain) }
        if image.dropFirst().first == ":", image.first?.isLetter == true, ["\\", "/"].contains(image.dropFirst(2).first) {
            return .failure(
                Column.Reason(
                    "the image \(image) is a path of Windows; name the file from the manifest's folder, like images/\(Self.lastPart(image))"
                ))
        }
        if let count = Self.countOfPictures(in: image) {
            return .failure(
                Column.Reason("the image \(image) lists \(count) pictures; write one picture a row and repeat the row for each"))
        }
        let turned = absolute(image.replacing("\\", with: "/"))
        return .success(otherSpelling(of: turned) ?? (Self.isThere(turned) ? turned : plain))
    }

    /// Bytes after which a name may mean something else than it says.
    private static let unusual = Array("\\,;|:".utf8)

    static func isThere(_ path: String) -> Bool { (try? FileStatus(ofPath: path)) != nil }

    private static func lastPart(_ image: String) -> Substring { image.split { $0 == "\\" || $0 == "/" }.last ?? "" }

    /// `https` of `https://…`, `data` of `data:image/…`; `nil` for a path.
    static func scheme(of text: String) -> String? {
        let scheme = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        let rest = text[scheme.endIndex...]
        guard scheme.count > 1, scheme.first?.isLetter == true,
            rest.hasPrefix("://") || (scheme == "data" && rest.hasPrefix(":image"))
        else { return nil }
        return scheme.lowercased()
    }

    /// How many names of pictures stand in one text; `nil` for one.
    private static func countOfPictures(in text: String) -> Int? {
        for separator: Character in ["|", ",", ";"] {
            let parts = text.split(separator: separator).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count > 1, parts.allSatisfy({ ManifestReader.isNamedAsPicture($0) }) { return parts.count }
        }
        return nil
    }

    /// Joins a relative path to the folder and takes out `.` and `..`, so that one file has one name.
    func absolute(_ image: String) -> String {
        let whole = image.hasPrefix("/") ? image : folder + "/" + image
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The path, each of whose parts is spelt as on the disk, where that differs from the given one in Unicode normalisation alone.
    private mutating func otherSpelling(of path: String) -> String? {
        guard !path.isASCII else { return nil }
        var found = ""
        for part in path.split(separator: "/") {
            let exact = found + "/" + part
            if part.utf8.allSatisfy({ $0 < 0x80 }) || Self.isThere(exact) {
                found = exact
                continue
            }
            let folder = ExactText(found.isEmpty ? "/" : found)
            if names[folder] == nil { names[folder] = (try? FileStatus.names(inFolder: folder.text))?.names ?? [] }
            // Equality of String is what is looked for here: the same text, whatever its normalisation.
            let alike = (names[folder] ?? []).filter { $0 == String(part) }
            guard alike.count == 1 else { return nil }
            found += "/" + alike[0]
        }
        return Self.isThere(found) ? found : nil
    }
}
