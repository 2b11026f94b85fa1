/// The activation inside the transformer blocks. A checkpoint made with one is quietly worse with another.
public enum Activation: String, Sendable, Codable {
    /// x·σ(1.702x), OpenAI's.
    case quickGELU = "quick_gelu"
    /// Exact GELU, laion's and most later ones.
    case gelu
    case geluTanh = "gelu_pytorch_tanh"
}

/// Everything about a CLIP model that decides what its weights mean (Radford et al. 2021, arXiv:2103.00020, section 2.4).
public struct CLIPConfiguration: Sendable, Equatable {
    /// Which of two papers' towers the model has.
    public enum Family: String, Sendable {
        /// A class token, norms before and after the blocks, projections; texts are causal and pooled at the end token.
        case clip
        /// SigLIP, Zhai et al. 2023 (arXiv:2303.15343): no class token, an attention head that a learned probe asks, no projection of
        /// pictures; texts see all of themselves and are pooled at the last place; cosines get a bias beside their scale.
        case sigLIP
    }

    /// How many tokens SigLIP 2 has (Tschannen et al. 2025, arXiv:2502.14786): Gemma's. What tells it from the first version.
    static let sigLIP2Vocabulary = 256_000

    /// A ViT image tower (Dosovitskiy et al. 2020, arXiv:2010.11929).
    public struct VisionTransformer: Sendable, Equatable {
        public var width: Int
        public var layers: Int
        public var heads: Int
        /// Width of the hidden layer of each block.
        public var hidden: Int
        /// Side of a patch and of the input, in pixels.
        public var patch: Int
        public var resolution: Int

        public init(width: Int, layers: Int, heads: Int, hidden: Int? = nil, patch: Int, resolution: Int) {
            self.width = width
            self.layers = layers
            self.heads = heads
            self.hidden = hidden ?? 4 * width
            self.patch = patch
            self.resolution = resolution
        }
    }

    /// A modified ResNet image tower (He et al. 2016 with the changes of CLIP, section 2.4).
    public struct ResNet: Sendable, Equatable {
        public var width: Int
        /// Blocks in each of the four stages.
        public var layers: [Int]
        /// Heads of the attention pooling.
        public var heads: Int
        /// Side of the input, in pixels: a multiple of 32.
        public var resolution: Int

        public init(width: Int, layers: [Int], heads: Int, resolution: Int) {
            self.width = width
            self.layers = layers
            self.heads = heads
            self.resolution = resolution
        }
    }

    public enum Vision: Sendable, Equatable {
        case transformer(VisionTransformer)
        case resNet(ResNet)
        case timm(Timm)
    }

    public struct Text: Sendable, Equatable {
        public var width: Int
        public var layers: Int
        public var heads: Int
        public var hidden: Int
        /// Most tokens of a text, start and end included.
        public var contextLength: Int
        public var vocabularySize: Int

        public init(width: Int, layers: Int, heads: Int, hidden: Int? = nil, contextLength: Int, vocabularySize: Int) {
            self.width = width
            self.layers = layers
            self.heads = heads
            self.hidden = hidden ?? 4 * width
            self.contextLength = contextLength
            self.vocabularySize = vocabularySize
        }
    }

    public var family: Family
    public var vision: Vision
    public var text: Text
    /// Size of the space that images and texts share.
    public var embeddingSize: Int
    /// Of the image tower's blocks; a convolutional one has none and ignores it.
    public var activation: Activation
    /// Of the text tower's blocks: one model of the SigLIP family differs between its towers.
    public var textActivation: Activation
    public var layerNormEps: Double

    /// - Parameter textActivation: that of the image tower where it is not given.
    public init(
        family: Family = .clip, vision: Vision, text: Text, embeddingSize: Int, activation: Activation,
        textActivation: Activation? = nil, layerNormEps: Double = 1e-5
    ) {
        self.family = family
        self.vision = vision
        self.text = text
        self.embeddingSize = embeddingSize
        self.activation = activation
        self.textActivation = textActivation ?? activation
        self.layerNormEps = layerNormEps
    }

    /// Side of the input, in pixels.
    public var resolution: Int {
        switch vision {
        case .transformer(let tower): tower.resolution
        case .resNet(let tower): tower.resolution
        case .timm(let tower): tower.resolution
        }
    }

    /// The architecture in the field's words, such as `ViT-B/16`, `RN50`, `ViT-L/14@336`, `ViT-B/16-SigLIP`,
    /// `tf_efficientnet_lite0`, or `ViT-192x6/16` for one of no standard size.
    public var architectureName: String {
        switch vision {
        case .transformer(let tower):
            let size =
                switch (tower.width, tower.layers) {
                case (768, 12): "ViT-B"
                case (1024, 24): "ViT-L"
                case (1152, 27): "ViT-SO400M"
                default: "ViT-\(tower.width)x\(tower.layers)"
                }
            let isStandard = tower.resolution == 224 || size.last?.isNumber == true
            return "\(size)/\(tower.patch)" + (family == .sigLIP ? "-SigLIP" : "") + (isStandard ? "" : "@\(tower.resolution)")
        case .resNet(let tower):
            switch (tower.width, tower.layers) {
            case (64, [3, 4, 6, 3]): return "RN50"
            case (64, [3, 4, 23, 3]): return "RN101"
            case (80, [4, 6, 10, 6]): return "RN50x4"
            default: return "RN-\(tower.width)x\(tower.layers.map(String.init).joined(separator: "."))"
            }
        case .timm(let tower): return tower.name
        }
    }
}
