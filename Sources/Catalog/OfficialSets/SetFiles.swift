/// Where the files of a benchmark lie below a root. Mirrors pack the official folders differently, so files are found by name.
struct SetFiles {
    /// Absolute, without symbolic links.
    let root: String
    /// Paths by name in lower case, the ones nearer to the root first.
    private var files: [String: [String]] = [:]
    /// Every folder that was looked into, the nearer ones first.
    private(set) var folders: [String] = []

    /// Endings of names that are surely no folders: a set has hundreds of thousands of such files, and each look at the disk costs.
    private static let endings: Set<String> = [
        "jpg", "jpeg", "png", "webp", "gif", "bmp", "json", "txt", "zip", "pdf", "md", "csv", "npy", "xml", "html", "gz", "tar",
    ]

    /// Looks through the folders below a root.
    /// - Parameters:
    ///   - names: the files that are wanted, in lower case.
    ///   - depth: folders deeper than so many below the root are left out.
    /// - Throws: `sourceMissing`, `sourceUnreadable`.
    init(root: String, names: Set<String>, depth: Int = .max) throws(CatalogError) {
        do throws(FileStatus.Failure) {
            let real = try FileStatus.realPath(root)
            guard try FileStatus(ofPath: real).isDirectory else { throw FileStatus.Failure(reason: "it is not a folder") }
            self.root = real
        } catch {
            throw error.isAbsent ? .sourceMissing(path: root) : .sourceUnreadable(path: root, reason: error.reason)
        }
        var visited: Set<[UInt64]> = []
        var level = [self.root]
        var below = 0
        while !level.isEmpty {
            var next: [String] = []
            for folder in level {
                // Of two ways to one folder the nearer counts; a link to a folder above would come round for ever.
                guard let status = try? FileStatus(ofPath: folder), visited.insert([status.device, status.inode]).inserted,
                    let listing = try? FileStatus.names(inFolder: folder)
                else { continue }
                // What a `prepare` command wrote holds pictures under the same names.
                if listing.names.contains(PreparedFolder.marker) { continue }
                folders.append(folder)
                for name in listing.names where !name.hasPrefix(".") && name != "__MACOSX" {
                    let path = folder + "/" + name
                    let lower = name.lowercased()
                    if names.contains(lower) { files[lower, default: []].append(path) }
                    // The folders of single items hold nothing but pictures, and there are thousands.
                    guard below < depth, !Self.endings.contains(lower.pathExtension), !lower.hasPrefix("id_"),
                        (try? FileStatus(ofPath: path))?.isDirectory == true
                    else { continue }
                    next.append(path)
                }
            }
            level = next
            below += 1
        }
    }

    func all(_ name: String) -> [String] { files[name] ?? [] }

    /// The file of a name that lies nearest to another file: a root may hold several benchmarks.
    func nearest(_ name: String, to other: String) -> String? {
        let parts = other.split(separator: "/")
        return all(name).map { path in
            (path: path, shared: zip(path.split(separator: "/"), parts).prefix { $0 == $1 }.count)
        }.max { $0.shared < $1.shared }?.path
    }

    /// The folder where the names of pictures begin: the one in which most of a sample of them are found.
    ///
    /// Of several as good ones the pictures of 256 pixels go before `img_highres`, and a nearer folder before a deeper one.
    func pictureFolder(of names: [String]) -> String? {
        let step = max(1, names.count / 40)
        let sample = stride(from: 0, to: names.count, by: step).map { names[$0] }
        func found(_ folder: String, _ names: some Collection<String>) -> Int {
            var finder = PictureFinder(folder: folder)
            return names.count { name in
                guard case .success(let path) = finder.path(of: name) else { return false }
                return PictureFinder.isThere(path)
            }
        }
        var best: (folder: String, count: Int)?
        let ordered = folders.enumerated().sorted { one, other in
            let (first, second) = (Self.isHighResolution(one.element), Self.isHighResolution(other.element))
            return first == second ? one.offset < other.offset : second
        }
        // A look at three first: most folders hold none.
        let spread = [0, sample.count / 2, sample.count - 1].filter { $0 >= 0 }.map { sample[$0] }
        for (_, folder) in ordered where found(folder, spread) > 0 {
            let count = found(folder, sample)
            if count > best?.count ?? 0 { best = (folder, count) }
        }
        if best == nil {
            for (_, folder) in ordered {
                let count = found(folder, sample)
                if count > best?.count ?? 0 { best = (folder, count) }
            }
        }
        return best?.folder
    }

    private static func isHighResolution(_ folder: String) -> Bool { folder.lowercased().contains("highres") }
}
