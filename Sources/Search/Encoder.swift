public import Catalog
public import Imaging

/// Turns pictures and texts into unit vectors of one space. The engine knows no model: it is given one of these.
public protocol Encoder: Sendable {
    /// What the catalogue knows the model by, and the dimension of its vectors.
    var model: ModelRecord { get }

    /// - Returns: one unit vector per picture.
    func encode(images: [RGBImage]) async throws -> [[Float]]

    /// - Returns: one unit vector per text.
    func encode(texts: [String]) async throws -> [[Float]]
}
