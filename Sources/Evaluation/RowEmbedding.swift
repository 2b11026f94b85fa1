public import CLIP
public import Imaging
import Retrieval

/// The vectors of many pictures, by a model or by the colour histogram.
public struct RowEmbedding: Sendable {
    /// One row for each picture that could be read.
    public struct Vectors: Sendable {
        /// `[kept.count, dimension]`, every row of unit length unless they were asked for as the model gives them.
        public var values: [Float] = []
        public let dimension: Int
        /// The pictures that could be read, as places of the list, ascending.
        public var kept: [Int] = []
        /// Why the others could not be, by place.
        public var unreadable: [(place: Int, error: ImageError)] = []
    }

    /// What is told when pictures can't be read.
    public enum BrokenPictures: Sendable {
        /// The first one ends the work: its error is thrown.
        case refused
        case leftOut
    }

    private let paths: [String]
    private let batch: Int
    private let workers: Int?
    private let broken: BrokenPictures

    /// - Parameters:
    ///   - paths: the pictures' files; the same one may stand twice.
    ///   - batch: pictures in one pass of the model.
    ///   - workers: threads that decode ahead of the model; nil is one for each core. Any number gives the same vectors, bit for bit.
    public init(of paths: [String], broken: BrokenPictures, batch: Int = 32, workers: Int? = nil) {
        self.paths = paths
        self.broken = broken
        self.batch = batch
        self.workers = workers
    }

    /// - Parameters:
    ///   - scaled: whether rows are brought to unit length.
    ///   - progress: pictures done, of how many.
    /// - Throws: `ImageError` with the path of the first picture that can't be read, where that is refused; `TorchError`.
    public func vectors(
        by embedder: Embedder, scaled: Bool = true, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> Vectors {
        let preprocessing = embedder.preprocessing
        // Fitted where they were decoded: what waits for the model waits small.
        return try vectors(dimension: embedder.embeddingSize, progress) { image throws(ImageError) in
            preprocessing.fit(image)
        } embed: { squares in
            try embedder.embed(squares: SquarePictures(squares, preprocessing), scaled: scaled)
        }
    }

    /// Colour histograms, prepared as the baseline wants it: a white square of 224.
    public func colorHistograms(progress: (Int, Int) -> Void = { _, _ in }) throws -> Vectors {
        try vectors(dimension: ColorHistogram.dimension, progress) { image throws(ImageError) in
            image.paddedToSquare(red: 255, green: 255, blue: 255).squashed(224, filter: .bicubic)
        } embed: { squares in
            try squares.flatMap { try ColorHistogram.vector(rgb: $0.pixels, width: $0.width, height: $0.height) }
        }
    }

    private func vectors(
        dimension: Int, _ progress: (Int, Int) throws -> Void,
        prepare: @escaping @Sendable (RGBImage) throws(ImageError) -> RGBImage, embed: ([RGBImage]) throws -> [Float]
    ) throws -> Vectors {
        var vectors = Vectors(dimension: dimension)
        vectors.values.reserveCapacity(paths.count * dimension)
        try PicturesAhead.forEach(paths, batch: batch, workers: workers, prepare: prepare) { range, results in
            var squares: [RGBImage] = []
            for (place, result) in zip(range, results) {
                switch result {
                case .success(let square):
                    squares.append(square)
                    vectors.kept.append(place)
                case .failure(let error):
                    if broken == .refused { throw error }
                    vectors.unreadable.append((place, error))
                }
            }
            vectors.values.append(contentsOf: try embed(squares))
            try progress(range.upperBound, paths.count)
        }
        return vectors
    }
}
