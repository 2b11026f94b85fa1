import Dispatch
import Imaging
import Synchronization

/// The pictures of a report, small: read, upright, as JPEG for the page and as pixels for the PNG files.
struct Thumbnails: Sendable {
    struct Thumbnail: Sendable {
        let image: RGBImage
        let jpeg: [UInt8]
    }

    /// The longer side, in pixels: twice what the page shows.
    static let side = 200

    /// By path; a picture that can't be read is missing.
    private let made: [String: Thumbnail]

    /// - Parameter paths: each is read once, on all cores.
    init(of paths: Set<String>) {
        let paths = paths.sorted()
        let made = Mutex<[String: Thumbnail]>([:])
        DispatchQueue.concurrentPerform(iterations: paths.count) { number in
            guard let thumbnail = try? Self.thumbnail(of: paths[number]) else { return }
            made.withLock { $0[paths[number]] = thumbnail }
        }
        self.made = made.withLock { $0 }
    }

    subscript(path: String) -> Thumbnail? { made[path] }

    private static func thumbnail(of path: String) throws(ImageError) -> Thumbnail {
        let image = try ImageDecoder.decode(contentsOfFile: path, limits: .ownFiles, minimumSide: side)
        let scale = Double(side) / Double(max(image.width, image.height))
        let small =
            scale >= 1
            ? image
            : image.resized(
                width: max(1, Int((Double(image.width) * scale).rounded())),
                height: max(1, Int((Double(image.height) * scale).rounded())), filter: .bicubic)
        return Thumbnail(image: small, jpeg: try ImageEncoder.jpeg(small, quality: 82))
    }
}
