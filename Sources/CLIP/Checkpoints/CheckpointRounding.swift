public import Imaging
import Torch

/// What a model loses by products of bytes, measured on pictures and texts.
public struct RoundingReport: Sendable, Encodable {
    /// How the vectors of two forms agree.
    public struct Agreement: Sendable, Encodable {
        public let count: Int
        /// Cosines between an input's two vectors.
        public let meanCosine: Double
        public let leastCosine: Double
        /// The share of inputs whose nearest other one is the same in both forms.
        public let sameNearest: Double

        /// - Parameters: two lists of unit vectors of the same inputs, `[count, size]`.
        init(_ first: [Float], _ second: [Float], size: Int) {
            func rows(_ vectors: [Float]) -> [ArraySlice<Float>] {
                stride(from: 0, to: vectors.count, by: size).map { vectors[$0..<($0 + size)] }
            }
            func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
            func nearest(_ rows: [ArraySlice<Float>]) -> [Int?] {
                rows.indices.map { own in
                    rows.indices.filter { $0 != own }.max { dot(rows[own], rows[$0]) < dot(rows[own], rows[$1]) }
                }
            }
            let (a, b) = (rows(first), rows(second))
            let cosines = zip(a, b).map { Double(dot($0, $1)) }
            count = a.count
            meanCosine = cosines.reduce(0, +) / Double(max(cosines.count, 1))
            leastCosine = cosines.min() ?? 1
            sameNearest = Double(zip(nearest(a), nearest(b)).count { $0 == $1 }) / Double(max(a.count, 1))
        }
    }

    public let pictures: Agreement
    /// nil for a model without a vocabulary.
    public let texts: Agreement?
}

extension Checkpoint {
    /// How far each layer's result would be from what it is, relative to its length, if its products were of bytes, by the names of their weights.
    /// - Parameter pictures: what the model looks at meanwhile; a few dozen are enough.
    public func roundingErrors(_ pictures: [RGBImage], progress: (Int, Int) -> Void = { _, _ in }) throws -> [String: Double] {
        let errors = RoundingErrors()
        let embedder = try Embedder(checkpoint: self, comparing: errors)
        for (index, picture) in pictures.enumerated() {
            _ = try embedder.embed(images: [picture])
            progress(index + 1, pictures.count)
        }
        if embedder.tokenizer != nil { _ = try embedder.embed(texts: Self.sampleTexts) }
        return errors.relative
    }

    /// How far the vectors of `rounded` in int8 are from this checkpoint's in float32.
    public func report(on rounded: Checkpoint, _ pictures: [RGBImage], progress: (Int, Int) -> Void = { _, _ in }) throws
        -> RoundingReport
    {
        let (plain, coarse) = (try Embedder(checkpoint: self), try Embedder(checkpoint: rounded, precision: .int8))
        var vectors: (plain: [Float], coarse: [Float]) = ([], [])
        for (index, picture) in pictures.enumerated() {
            vectors.plain += try plain.embed(images: [picture])
            vectors.coarse += try coarse.embed(images: [picture])
            progress(index + 1, pictures.count)
        }
        let size = plain.embeddingSize
        let texts = try plain.tokenizer.map { _ in
            RoundingReport.Agreement(
                try plain.embed(texts: Self.sampleTexts).vectors, try coarse.embed(texts: Self.sampleTexts).vectors, size: size)
        }
        return RoundingReport(pictures: .init(vectors.plain, vectors.coarse, size: size), texts: texts)
    }

    /// What people type into a search for clothes.
    static let sampleTexts = [
        "a red dress", "black leather shoes", "a striped blue shirt", "a photo of a dog", "7 o'clock", "wool coat",
        "women's floral summer dress with short sleeves", "grey hoodie", "white sneakers", "a photo of a green skirt",
        "denim jacket",
        "long trousers with a wide leg",
    ]
}
