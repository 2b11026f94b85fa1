public import Foundation

/// Whether the first bytes of a file are those of a picture, of a kind that is read or not. Asked of the files of a plain folder whose ending
/// says nothing; given the file's first 4,096 bytes, or all of them.
public typealias PictureTest = @Sendable (_ firstBytes: Data) -> Bool

/// A plain folder of pictures.
extension ManifestReader {
    /// The endings of picture files. Those of kinds that no decoder here reads are listed too: such a file is a picture
    /// to its owner, who is told that it was left out.
    private static let endings: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "ico", "psd", "mpo",
        "jp2", "jxl",
    ]

    /// What storage devices and systems keep beside the pictures: thumbnails, bins, snapshots.
    private static let foldersOfSystems: Set<String> = [
        "__macosx", "@eadir", "#recycle", "@recycle", "#snapshot", "@recently-snapshot", "$recycle.bin", "recycler",
        "system volume information", "lost+found",
    ]

    private static let filesOfSystems: Set<String> = ["thumbs.db", "desktop.ini", "ehthumbs.db", "picasa.ini", "icon\r"]

    static func isNamedAsPicture(_ name: String) -> Bool { endings.contains(name.pathExtension.lowercased()) }

    mutating func readFolder() throws(CatalogError) {
        let listing: FileStatus.Listing
        do throws(FileStatus.Failure) {
            listing = try FileStatus.names(inFolder: folder)
        } catch {
            throw .sourceUnreadable(path: folder, reason: error.reason)
        }
        var visited: Set<[UInt64]> = []
        if let status = try? FileStatus(ofPath: folder) { visited.insert([status.device, status.inode]) }
        walk(listing, in: "", visited: &visited)
    }

    private mutating func walk(_ listing: FileStatus.Listing, in category: String, visited: inout Set<[UInt64]>) {
        for name in listing.unreadable where !name.hasPrefix(".") {
            report(in: folder + "/" + (category.isEmpty ? name : category + "/" + name), "its name is not UTF-8; rename it")
        }
        for name in listing.names where !name.hasPrefix(".") && !Self.foldersOfSystems.contains(name.lowercased()) {
            let relative = category.isEmpty ? name : category + "/" + name
            let path = folder + "/" + relative
            do throws(FileStatus.Failure) {
                let status = try FileStatus(ofPath: path)
                if status.isDirectory {
                    // A link to a folder above, or a second link to one already read, would come round for ever.
                    guard visited.insert([status.device, status.inode]).inserted else { continue }
                    walk(try FileStatus.names(inFolder: path), in: relative, visited: &visited)
                } else if try isPictureFile(path, name, status) {
                    var fields = ["image": relative, "product_id": relative, "title": name.withoutPathExtension]
                    if !category.isEmpty { fields["category"] = category }
                    append(line: nil, fields, path: path)
                }
            } catch {
                mention(path)
                report(in: path, "it cannot be read (\(error.reason))")
            }
        }
    }

    /// By its name, or by its first bytes where the name says nothing. Counts what is no picture.
    private mutating func isPictureFile(_ path: String, _ name: String, _ status: FileStatus) throws(FileStatus.Failure) -> Bool {
        if Self.isNamedAsPicture(name) { return true }
        guard status.isRegular, !Self.filesOfSystems.contains(name.lowercased()) else { return false }
        if let isPicture, isPicture(try FileStatus.start(of: path, count: 4_096)) { return true }
        let ending = name.pathExtension
        leaveOut(ending.isEmpty ? "no ending" : "." + ending.lowercased())
        return false
    }
}
