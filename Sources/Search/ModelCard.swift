/// What is known about a model, all of it read from its files: what people see beside its results.
public struct ModelCard: Sendable, Codable, Equatable {
    /// How pictures are prepared for it.
    public struct Preparation: Sendable, Codable, Equatable {
        /// Side of the square the model takes, in pixels.
        public var side: Int
        public var fitting: String
        public var filter: String
        public var mean: [Float]
        public var std: [Float]

        public init(side: Int, fitting: String, filter: String, mean: [Float], std: [Float]) {
            self.side = side
            self.fitting = fitting
            self.filter = filter
            self.mean = mean
            self.std = std
        }
    }

    /// A term of the loss with its weight.
    public struct Term: Sendable, Codable, Equatable {
        public var name: String
        public var weight: Double

        public init(name: String, weight: Double) {
            self.name = name
            self.weight = weight
        }
    }

    /// What an epoch's weights were worth on the validation rows.
    public struct CurvePoint: Sendable, Codable, Equatable {
        public var epoch: Int
        /// A fraction in 0…1, unless the recipe chooses by another figure.
        public var score: Double

        public init(epoch: Int, score: Double) {
            self.epoch = epoch
            self.score = score
        }
    }

    /// How it was trained, as far as its checkpoint says so.
    public struct Training: Sendable, Codable, Equatable {
        public var recipe: String?
        public var command: String?
        /// Of the checkpoint, from 1.
        public var epoch: Int?
        /// Of the whole run.
        public var epochs: Int?
        public var step: Int?
        public var steps: Int?
        public var photos: Int?
        public var seconds: Double?
        public var optimizer: String?
        /// Peak learning rate.
        public var learningRate: Double?
        public var weightDecay: Double?
        public var batch: String?
        public var loss: [Term]?
        public var temperature: Double?
        public var captions: [String]?
        /// Figures of the validation rows, fractions in 0…1.
        public var validation: [String: Double]?
        /// Epoch by epoch, up to this checkpoint's.
        public var curve: [CurvePoint]?

        public init() {}
    }

    public var id: String
    public var architecture: String
    public var variant: String
    /// The training stage, where the checkpoint names one.
    public var stage: String?
    public var embeddingSize: Int
    public var parameters: Int
    /// Whether it takes texts: its folder holds a vocabulary.
    public var takesText: Bool
    public var preprocessing: Preparation
    /// SHA-256 in 64 hexadecimal digits.
    public var fingerprint: String
    /// nil for a model that says nothing about its training.
    public var training: Training?

    public init(
        id: String, architecture: String, variant: String, stage: String? = nil, embeddingSize: Int, parameters: Int,
        takesText: Bool, preprocessing: Preparation, fingerprint: String, training: Training? = nil
    ) {
        self.id = id
        self.architecture = architecture
        self.variant = variant
        self.stage = stage
        self.embeddingSize = embeddingSize
        self.parameters = parameters
        self.takesText = takesText
        self.preprocessing = preprocessing
        self.fingerprint = fingerprint
        self.training = training
    }
}
