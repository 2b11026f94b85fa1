import Torch

/// An image tower of timm's as open_clip wraps it: the trunk's map, its mean over all places, the projection.
final class TimmTower {
    private enum Trunk {
        case efficientNet(EfficientNet)
        case resNet(TimmResNet)
    }

    private enum Head {
        case none
        case linear(Linear)
        case mlp(Linear, Linear)
    }

    private let trunk: Trunk
    private let head: Head

    init(_ scope: ParameterScope, _ tower: CLIPConfiguration.Timm, embeddingSize: Int) throws {
        let features = tower.features
        let classifier: String
        switch tower.trunk {
        case .efficientNetLite(let sizes):
            trunk = .efficientNet(try EfficientNet(scope["trunk"], sizes, followsTensorFlow: tower.followsTensorFlow))
            classifier = "classifier"
        case .resNet(let stem, let width, let layers):
            trunk = .resNet(try TimmResNet(scope["trunk"], stem: stem, width: width, layers: layers))
            classifier = "fc"
        }
        switch tower.projection {
        case .none: head = .none
        case .linear(let hasBias):
            head = .linear(try Linear(scope["head"]["proj"], in: features, out: embeddingSize, bias: hasBias))
        case .mlp(let hasBias):
            let inner = scope["head"]["mlp"]
            head = .mlp(
                try Linear(inner["fc1"], in: features, out: 2 * embeddingSize),
                try Linear(inner["fc2"], in: 2 * embeddingSize, out: embeddingSize, bias: hasBias))
        case .classifier: head = .linear(try Linear(scope["trunk"][classifier], in: features, out: embeddingSize))
        }
    }

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        switch trunk {
        case .efficientNet(let trunk): try trunk.prepareForInference(form, progress)
        case .resNet(let trunk): try trunk.prepareForInference(form, progress)
        }
        switch head {
        case .none: break
        case .linear(let layer): try layer.prepareForInference(form)
        case .mlp(let first, let second): for layer in [first, second] { try layer.prepareForInference(form) }
        }
    }

    /// `pixels` `[batch, 3, side, side]` to `[batch, embedding]`, not normalised.
    func callAsFunction(_ pixels: Tensor, _ mode: Mode) throws -> Tensor {
        let map =
            switch trunk {
            case .efficientNet(let trunk): try trunk(pixels, mode)
            case .resNet(let trunk): try trunk(pixels, mode)
            }
        let features = try map.mean([2, 3])
        switch head {
        case .none: return features
        case .linear(let layer): return try layer(features)
        case .mlp(let first, let second): return try second(first(features, activation: .gelu))
        }
    }
}
