extension CLIPConfiguration {
    /// An image tower of the timm library, as open_clip's `TimmModel` wraps it: a trunk that was made for classifying, the mean over all
    /// places, and a projection into the shared space. Its tensors keep timm's names, under `visual.trunk.` and `visual.head.`.
    public struct Timm: Sendable, Equatable {
        /// timm's name of the trunk without the tag of its weights, such as `tf_efficientnet_lite0`. It decides what no shape of a weight
        /// tells: how convolutions are padded and the eps of their norms.
        public var name: String
        public var trunk: Trunk
        public var projection: Projection
        /// Side of the input, in pixels. Any side will do: no weight depends on it.
        public var resolution: Int

        public init(name: String, trunk: Trunk, projection: Projection, resolution: Int) {
            self.name = name
            self.trunk = trunk
            self.projection = projection
            self.resolution = resolution
        }

        /// Size of the trunk's mean over all places.
        public var features: Int {
            switch trunk {
            case .efficientNetLite(let sizes): sizes.features
            case .resNet(_, let width, _): 8 * width * 4
            }
        }
    }

    public enum Trunk: Sendable, Equatable {
        case efficientNetLite(EfficientNetLite)
        /// The ResNet of He et al. 2015 (arXiv:1512.03385) with bottlenecks, strided in their 3×3 convolution: channels of the stem,
        /// those of the first stage's 3×3 convolutions, and blocks in each of the four stages.
        case resNet(stem: Int, width: Int, layers: [Int])
    }

    /// What stands between the trunk's features and the embedding: open_clip's `timm_proj` and `timm_proj_bias`.
    public enum Projection: Sendable, Equatable {
        /// The features are the embedding.
        case none
        case linear(bias: Bool)
        /// Two linear layers around a GELU, twice as wide as the embedding; the first always has a bias.
        case mlp(bias: Bool)
        /// The trunk's own classifier, with bias: what open_clip makes of an empty `timm_proj`.
        case classifier

        /// A word for it that stays: fingerprints are made of it.
        var word: String {
            switch self {
            case .none: "none"
            case .linear(let hasBias): hasBias ? "linear with bias" : "linear"
            case .mlp(let hasBias): hasBias ? "mlp with bias" : "mlp"
            case .classifier: "classifier"
            }
        }
    }

    /// An EfficientNet (Tan & Le 2019, arXiv:1905.11946) in its Lite form: ReLU6 in place of Swish, no squeeze-and-excitation, and a stem
    /// and a head that the width does not scale.
    public struct EfficientNetLite: Sendable, Equatable {
        public struct Block: Sendable, Equatable {
            /// Side of the depthwise convolution.
            public var kernel: Int
            /// Channels that the block's input is expanded to; nil in the first stage, which does not expand.
            public var hidden: Int?
            public var output: Int

            public init(kernel: Int, hidden: Int?, output: Int) {
                self.kernel = kernel
                self.hidden = hidden
                self.output = output
            }
        }

        /// Of the first block of each stage, together with the stem's 2 a 32nd.
        public static let strides = [1, 2, 2, 2, 1, 2, 1]

        public var stem: Int
        /// Seven stages.
        public var stages: [[Block]]
        public var features: Int

        public init(stem: Int, stages: [[Block]], features: Int) {
            self.stem = stem
            self.stages = stages
            self.features = features
        }

        /// The sizes of Lite0 to Lite4: kernel, expansion, channels and blocks of each stage, the channels and blocks of the inner ones scaled.
        public static func lite(_ variant: Int) -> EfficientNetLite? {
            let scales: [(width: Double, depth: Double)] = [(1, 1), (1, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8)]
            guard scales.indices.contains(variant) else { return nil }
            let scale = scales[variant]
            let plan = [
                (3, 1, 16, 1), (3, 6, 24, 2), (5, 6, 40, 2), (3, 6, 80, 3), (5, 6, 112, 3), (5, 6, 192, 4), (3, 6, 320, 1),
            ]
            let stem = 32
            var input = stem
            let stages = plan.enumerated().map { stage, row in
                let (kernel, expansion, channels, blocks) = row
                let isInner = stage > 0 && stage < plan.count - 1
                let count = isInner ? Int((Double(blocks) * scale.depth).rounded(.up)) : blocks
                return (0..<count).map { _ in
                    let output = Self.rounded(Double(channels) * scale.width)
                    defer { input = output }
                    return Block(
                        kernel: kernel, hidden: expansion > 1 ? Self.rounded(Double(input * expansion)) : nil, output: output)
                }
            }
            return EfficientNetLite(stem: stem, stages: stages, features: 1280)
        }

        /// To a multiple of 8, never by more than a tenth downwards.
        private static func rounded(_ channels: Double) -> Int {
            let nearest = max(Int(channels + 4) / 8 * 8, 8)
            return Double(nearest) < 0.9 * channels ? nearest + 8 : nearest
        }
    }
}

extension CLIPConfiguration.Timm {
    /// TensorFlow's convention, in which Google trained its EfficientNets: see `ConvolutionNorm.Padding.same`, and an eps of 1e-3.
    var followsTensorFlow: Bool { name.hasPrefix("tf_") }

    /// A family of trunks that is read here, by timm's name of one of its members.
    enum Family {
        /// The number, where it is one of timm's own.
        case efficientNetLite(variant: Int?)
        /// How many convolutions and linear layers lie in a row.
        case resNet(depth: Int)

        static let names = "tf_efficientnet_lite0 to 4, efficientnet_lite0 to 4, resnet50, resnet101 or resnet152"

        init?(name: String) {
            let plain = name.hasPrefix("tf_") ? name.dropFirst(3) : name[...]
            if plain.hasPrefix("efficientnet_lite") {
                self = .efficientNetLite(variant: Int(plain.dropFirst("efficientnet_lite".count)))
            } else if name.hasPrefix("resnet"), let depth = Int(name.dropFirst("resnet".count)) {
                // Letters behind the number (resnet50d) mean another stem or another pooling, which not every weight tells.
                self = .resNet(depth: depth)
            } else {
                return nil
            }
        }
    }
}
