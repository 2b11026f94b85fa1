import Imaging
import Synchronization

/// The photos of a run, decoded when they are asked for. Up to a number of bytes they stay; what does not fit is decoded again each time.
/// May be asked by any number of threads.
final class PhotoMemory: Sendable {
    private struct Kept {
        var photos: [Int: RGBImage] = [:]
        /// nil where the ground is known not to be plain.
        var grounds: [Int: PlainGround?] = [:]
        var room: Int
    }

    private let paths: [String]
    private let kept: Mutex<Kept>

    init(_ paths: [String], limit: Int) {
        self.paths = paths
        kept = Mutex(Kept(room: limit))
    }

    func photo(_ index: Int) throws(ImageError) -> RGBImage {
        if let photo = kept.withLock({ $0.photos[index] }) { return photo }
        // Not under the lock: two threads that decode the same photo get the same pixels.
        let photo = try ImageDecoder.decode(contentsOfFile: paths[index], limits: .ownFiles)
        kept.withLock { kept in
            guard kept.photos[index] == nil, photo.pixels.count <= kept.room else { return }
            kept.room -= photo.pixels.count
            kept.photos[index] = photo
        }
        return photo
    }

    /// - Parameter photo: the one with this number.
    func ground(_ index: Int, of photo: RGBImage) -> PlainGround? {
        if let known = kept.withLock({ $0.grounds[index] }) { return known }
        let ground = PlainGround(of: photo)
        let size = 64 + (ground?.mask.count ?? 0)
        kept.withLock { kept in
            guard kept.grounds[index] == nil, size <= kept.room else { return }
            kept.room -= size
            kept.grounds[index] = .some(ground)
        }
        return ground
    }
}
