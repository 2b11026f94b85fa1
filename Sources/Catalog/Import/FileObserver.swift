import Foundation

/// A product and what was found of each of its pictures, in the order of `group.pictures`.
struct ObservedProduct {
    let group: ProductGroup
    let outcomes: [FileObserver.Outcome]

    var readable: Int {
        outcomes.count { if case .good = $0 { true } else { false } }
    }
}

/// Looks at files: which bytes they hold, and whether these are a picture.
struct FileObserver {
    /// What the catalogue knows about a readable picture.
    struct Known {
        var hash: ContentHash
        var size: Int64?
        var changed: Int64?
        var picture: PictureSize
    }

    enum Outcome {
        /// A picture. `changed` is `nil` where it is too fresh to be trusted next time.
        case good(hash: ContentHash, size: Int64, changed: Int64?, picture: PictureSize)
        /// A file that is no picture.
        case broken(hash: ContentHash?, reason: String)
        /// No file, or none that may be read.
        case missing(reason: String)
    }

    let known: [ExactText: Known]
    let options: ImportOptions
    let inspect: PictureInspector

    /// A file that was changed less than this many nanoseconds before it was looked at may be changed again without its
    /// time showing it: file systems count time in steps, the coarsest in use of two seconds.
    private static let timeStep: Int64 = 2_000_000_000

    init(known: [ExactText: Known], options: ImportOptions, inspect: @escaping PictureInspector) {
        self.known = known
        self.options = options
        self.inspect = inspect
    }

    /// Looks at one file. Size and time of change of a known picture make reading it unnecessary; otherwise the content hash
    /// decides whether it has to be inspected.
    func observe(_ path: String) -> Outcome {
        let known = known[ExactText(path)]
        let bytes: Data
        let status: FileStatus
        do throws(FileStatus.Failure) {
            let now = try FileStatus(ofPath: path)
            if !options.rehash, let known, known.size == now.size, known.changed == now.changed, now.isRegular {
                return .good(hash: known.hash, size: now.size, changed: now.changed, picture: known.picture)
            }
            // A folder, a pipe or a giant is there, but is no picture.
            if !now.isRegular || now.size > options.maximumFileSize {
                return .broken(
                    hash: nil,
                    reason: now.isRegular
                        ? "it has \(now.size) bytes, and at most \(options.maximumFileSize) are read" : "it is not a regular file"
                )
            }
            (bytes, status) = try FileStatus.read(path, limit: options.maximumFileSize)
        } catch {
            return .missing(reason: error.reason)
        }
        let hash = ContentHash(of: bytes)
        let age = Int64(Date().timeIntervalSince1970 * 1e9) - status.changed
        let changed = age > Self.timeStep ? status.changed : nil
        if let known, known.hash == hash {
            return .good(hash: hash, size: Int64(bytes.count), changed: changed, picture: known.picture)
        }
        do {
            let picture = try inspect(bytes, URL(fileURLWithPath: path))
            guard picture.width > 0, picture.height > 0 else { return .broken(hash: hash, reason: "it has no pixels") }
            return .good(hash: hash, size: Int64(bytes.count), changed: changed, picture: picture)
        } catch {
            return .broken(hash: hash, reason: Self.phrase(error))
        }
    }

    /// A reason that can stand inside a sentence.
    static func phrase(_ error: any Error) -> String {
        let text = "\(error)"
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
