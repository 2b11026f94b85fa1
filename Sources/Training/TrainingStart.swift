public import CLIP
import Imaging
public import Tokenizers
public import Torch

/// A model ready to be trained, with its preprocessing and vocabulary.
public struct TrainingStart {
    public let model: CLIPModel
    public let preprocessing: Preprocessing
    public let tokenizer: Tokenizer?
    /// The folder that holds the vocabulary's files.
    public let vocabulary: String?

    /// A checkpoint's model, its weights copied so that they can be written to.
    public init(checkpoint path: String, device: Device = .cpu) throws {
        let checkpoint = try Checkpoint(path: path)
        model = try checkpoint.model(forTraining: true, device: device)
        preprocessing = checkpoint.preprocessing
        tokenizer = checkpoint.tokenizer
        vocabulary = checkpoint.tokenizer == nil ? nil : checkpoint.folder
    }

    /// Where the recipe says that training begins; `TorchRuntime.seed` decides what new weights are.
    public init(_ recipe: Recipe, device: Device = .cpu) throws {
        switch recipe.start {
        case .model(let path): self = try TrainingStart(checkpoint: recipe.resolvedModel(path), device: device)
        case .new(let architecture, let name):
            let vocabulary = recipe.resolved(name)
            // A ViT will stand in a Hugging Face folder and a ResNet in an open_clip folder, whose libraries clean texts up and cut
            // pictures differently.
            var (cleanup, cropRule) = (TextCleanup.huggingFace, CenterCropRule.transformers)
            if case .resNet = architecture.tower { (cleanup, cropRule) = (.openCLIP, .torchvision) }
            let tokenizer = try Tokenizer(
                vocabularyFile: "\(vocabulary)/vocab.json", mergesFile: "\(vocabulary)/merges.txt",
                contextLength: architecture.contextLength, cleanup: cleanup)
            self = TrainingStart(
                model: try CLIPModel(
                    architecture.configuration(vocabularySize: tokenizer.vocabularySize), store: ParameterStore(device: device)),
                preprocessing: Preprocessing(side: architecture.resolution, fitting: architecture.fitting, cropRule: cropRule),
                tokenizer: tokenizer, vocabulary: vocabulary)
        }
    }

    /// How the views of a step become squares: as the model takes its pictures, or smaller where the recipe says so.
    /// - Throws: `.unfitViews` if it says so and the tower takes one size only.
    func views(of recipe: Recipe) throws(TrainingError) -> Preprocessing {
        var views = preprocessing
        guard let side = recipe.augmentation.side, side != views.side else { return views }
        // Its features are averaged over all places, however many. The others have a learned position for each place.
        guard case .timm = model.configuration.vision else { throw .unfitViews(side: side, own: views.side) }
        views.side = side
        return views
    }

    private init(model: CLIPModel, preprocessing: Preprocessing, tokenizer: Tokenizer?, vocabulary: String?) {
        self.model = model
        self.preprocessing = preprocessing
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
    }
}

extension Recipe.Architecture {
    func configuration(vocabularySize: Int) -> CLIPConfiguration {
        let vision: CLIPConfiguration.Vision
        switch tower {
        case .transformer(let width, let layers, let heads, let patch):
            vision = .transformer(.init(width: width, layers: layers, heads: heads, patch: patch, resolution: resolution))
        case .resNet(let width, let layers):
            vision = .resNet(.init(width: width, layers: layers, heads: width * 32 / 64, resolution: resolution))
        }
        return CLIPConfiguration(
            vision: vision,
            text: .init(
                width: textWidth, layers: textLayers, heads: max(textWidth / 64, 1), contextLength: contextLength,
                vocabularySize: vocabularySize),
            embeddingSize: embeddingSize, activation: .quickGELU)
    }
}
