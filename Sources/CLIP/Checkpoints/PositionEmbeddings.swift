import TensorFiles
import Torch

// A model at another resolution than its own.
extension CLIPConfiguration {
    /// Where an image tower keeps its position embeddings.
    static let positionNames = ["visual.positional_embedding", "visual.attnpool.positional_embedding"]

    static func side(ofPlaces places: Int, hasClassToken: Bool) -> Int? {
        let cells = places - (hasClassToken ? 1 : 0)
        let side = Int(Double(max(cells, 0)).squareRoot().rounded())
        return side * side == cells ? side : nil
    }

    /// Places along a side of the image tower's map.
    var grid: Int {
        switch vision {
        case .transformer(let tower): tower.resolution / tower.patch
        case .resNet(let tower): tower.resolution / 32
        case .timm(let tower): (tower.resolution + 31) / 32
        }
    }

    mutating func setResolution(_ side: Int, path: String) throws(CLIPError) {
        switch vision {
        case .transformer(var tower):
            guard side > 0, side % tower.patch == 0 else {
                throw .wrongValue(
                    path: path, key: "resolution", found: "\(side)", expected: "a multiple of the patch, \(tower.patch)")
            }
            tower.resolution = side
            vision = .transformer(tower)
        case .resNet(var tower):
            guard side > 0, side % 32 == 0 else {
                throw .wrongValue(path: path, key: "resolution", found: "\(side)", expected: "a multiple of 32")
            }
            tower.resolution = side
            vision = .resNet(tower)
        case .timm(var tower):
            guard side > 0 else {
                throw .wrongValue(path: path, key: "resolution", found: "\(side)", expected: "a number of pixels above 0")
            }
            tower.resolution = side
            vision = .timm(tower)
        }
    }

    /// The weights with position embeddings of this configuration's grid: bicubic with antialias, as open_clip resizes them; the class token's
    /// stays.
    func fitted(_ weights: [String: Tensor]) throws -> [String: Tensor] {
        guard let name = Self.positionNames.first(where: { weights[$0] != nil }), let stored = weights[name] else {
            return weights
        }
        let first = family == .clip ? 1 : 0
        guard stored.shape.count == 2, let side = Self.side(ofPlaces: stored.size(0), hasClassToken: first == 1), side > 0,
            side != grid
        else { return weights }
        let width = stored.size(1)
        var weights = weights
        weights[name] = try withoutGradients {
            let plain = try stored.to(.float32)
            let map = try plain.narrowed(0, start: first, length: side * side).reshaped([1, side, side, width])
                .permuted([0, 3, 1, 2]).contiguous()
            let resized = try map.resizedBicubic(height: grid, width: grid, antialias: true).permuted([0, 2, 3, 1])
                .reshaped([grid * grid, width])
            return first == 0 ? resized : try .concatenated([plain.narrowed(0, start: 0, length: 1), resized])
        }
        return weights
    }
}
