public import Torch

/// A CLIP model: two towers into one space, and the logit scale. Its parameters carry OpenAI's names, and timm's in a tower of timm's.
public final class CLIPModel {
    private enum Tower {
        case transformer(VisionTransformer)
        case resNet(ModifiedResNet)
        case timm(TimmTower)
    }

    public let configuration: CLIPConfiguration
    public let store: ParameterStore
    /// The logarithm of the factor on cosine similarities (`t` in the paper's figure 3; 1/temperature).
    public let logitScale: Tensor
    /// What SigLIP adds to the scaled cosines (`b` in algorithm 1 of its paper).
    public let logitBias: Tensor?
    private let vision: Tower
    private let text: TextTransformer

    /// Builds the model over `store`: loaded weights or new ones.
    /// - Throws: `TorchError.weights` if loaded weights do not fit, all faults together.
    public init(_ configuration: CLIPConfiguration, store: ParameterStore) throws {
        self.configuration = configuration
        self.store = store
        let root = store.root
        switch configuration.vision {
        case .transformer(let tower): vision = .transformer(try VisionTransformer(root["visual"], tower, of: configuration))
        case .resNet(let tower):
            vision = .resNet(try ModifiedResNet(root["visual"], tower, embeddingSize: configuration.embeddingSize))
        case .timm(let tower):
            vision = .timm(try TimmTower(root["visual"], tower, embeddingSize: configuration.embeddingSize))
        }
        text = try TextTransformer(root, configuration.text, of: configuration)
        logitScale = try root.parameter("logit_scale", [], .constant(2.6592600369327783))  // ln(1/0.07)
        logitBias = try configuration.family == .sigLIP ? root.parameter("logit_bias", [], .constant(-10)) : nil
        try store.finish()
    }

    /// Trainable numbers.
    public var parameterCount: Int { store.parameters.reduce(0) { $0 + $1.tensor.elementCount } }

    /// Repacks the weights for the CPU's inference kernels, and lets go of the others: the store is empty afterwards. From then on gradients
    /// are not recorded and training is over.
    /// - Parameters:
    ///   - form: what their products are computed in.
    ///   - progress: called after every block, when the weights read for it are needed no more.
    public func prepareForInference(_ form: WeightForm = .float32, progress: () -> Void = {}) throws {
        store.release()
        switch vision {
        case .transformer(let tower): try tower.prepareForInference(form, progress)
        case .resNet(let tower): try tower.prepareForInference(form, progress)
        case .timm(let tower): try tower.prepareForInference(form, progress)
        }
        try text.prepareForInference(form, progress)
    }

    /// - Parameters:
    ///   - pixels: float32 `[batch, 3, resolution, resolution]`, normalised by the model's preprocessing.
    ///   - mode: `.train` lets batch norms use and update the batch's statistics.
    /// - Returns: `[batch, embedding]`, not normalised.
    public func encodeImages(_ pixels: Tensor, _ mode: Mode = .evaluate) throws -> Tensor {
        switch vision {
        case .transformer(let tower): try tower(pixels)
        case .resNet(let tower): try tower(pixels, mode)
        case .timm(let tower): try tower(pixels, mode)
        }
    }

    /// - Parameter ids: int64 `[batch, context]`, zeros behind the end token.
    /// - Returns: `[batch, embedding]`, not normalised.
    public func encodeTexts(_ ids: Tensor) throws -> Tensor {
        try text(ids)
    }

    /// Texts some of whose tokens are vectors that no word has: learned prompts (Zhou et al. 2022, arXiv:2109.01134).
    /// - Parameters: ids as above; embeddings `[batch, m, text width]`, which stand in each text in the places `places[i]`, m of them, instead of
    ///   the tokens there.
    /// - Returns: `[batch, embedding]`, not normalised.
    public func encodeTexts(_ ids: Tensor, with embeddings: Tensor, at places: [[Int]]) throws -> Tensor {
        try text(ids, replaced: (embeddings, places))
    }
}
