public import CLIP
import Evaluation
import Torch

/// The image tower's vectors of the photos of a run that shows every photo as it is to a tower that it does not train: each is made once, before the
/// first step, and a step has texts alone to encode (locked-image tuning, Zhai et al. 2022, arXiv:2111.07991).
public struct StillImages: Sendable {
    let dimension: Int
    /// `[count, dimension]`, as the tower gives them.
    private let vectors: [Float]
    /// The row of each photo that was asked for and could be read.
    private let rows: [Int: Int]
    /// Why the others could not be.
    private let unreadable: [Int: String]

    /// - Parameters:
    ///   - paths: the photos of a run.
    ///   - photos: which of them are wanted, as places of `paths`; nil is all.
    ///   - progress: photos done, of how many; what it throws ends the work.
    /// - Throws: `TorchError`, and what `progress` throws.
    public init(
        of paths: [String], photos: [Int]? = nil, by embedder: Embedder, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws {
        let photos = photos ?? Array(paths.indices)
        let found = try RowEmbedding(of: photos.map { paths[$0] }, broken: .leftOut)
            .vectors(by: embedder, scaled: false, progress: progress)
        dimension = found.dimension
        vectors = found.values
        rows = Dictionary(uniqueKeysWithValues: found.kept.enumerated().map { (photos[$1], $0) })
        unreadable = Dictionary(uniqueKeysWithValues: found.unreadable.map { (photos[$0.place], "\($0.error)") })
    }

    /// `[dimension]`; nil for a photo that could not be read.
    func vector(of photo: Int) -> ArraySlice<Float>? {
        rows[photo].map { vectors[($0 * dimension)..<(($0 + 1) * dimension)] }
    }

    /// Why a photo has no vector.
    func reason(_ photo: Int) -> String { unreadable[photo] ?? "" }
}

extension Recipe {
    /// Whether a photo's vector is the same at every step: nothing of the image tower is trained, its batch norms stand still, a view is the whole
    /// photo, and no teacher is asked about it.
    func keepsImages(of model: CLIPModel) -> Bool {
        let moves = model.store.parameters.contains { parameter in
            parameter.name.hasPrefix("visual.") && trainable.contains { parameter.name.hasPrefix($0) }
        }
        return !moves && (batchNormFrozen || model.store.buffers.isEmpty) && augmentation == .unchanging && teacher == nil
    }
}
