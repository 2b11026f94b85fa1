public import CLIP
import Imaging
public import Search

extension ModelCard {
    /// Reads everything off a checkpoint; what its `stylefinder.json` does not say stays unsaid.
    /// - Parameters: id: what the model is called here, parameters: how many numbers its weights are.
    /// - Throws: `CLIPError` if `stylefinder.json` can't be read.
    public init(checkpoint: Checkpoint, id: String, parameters: Int) throws {
        let recorded = try checkpoint.recorded()
        let preprocessing = checkpoint.preprocessing
        try self.init(
            id: id, architecture: checkpoint.configuration.architectureName, variant: recorded?["name"] as? String ?? id,
            stage: recorded?["stage"] as? String, embeddingSize: checkpoint.configuration.embeddingSize, parameters: parameters,
            takesText: checkpoint.tokenizer != nil,
            preprocessing: Preparation(
                side: preprocessing.side, fitting: preprocessing.fitting.rawValue, filter: preprocessing.filter.rawValue,
                mean: preprocessing.mean, std: preprocessing.deviation),
            fingerprint: checkpoint.fingerprint, training: recorded.flatMap(Training.init))
    }
}

extension ModelCard.Training {
    /// Our trainer's record; nil where none of its keys is there. Models of version 1 hold the recipe under other names.
    fileprivate init?(_ recorded: [String: Any]) {
        self.init()
        let recipe = recorded["recipe"] as? [String: Any] ?? [:]
        func section(_ key: String) -> [String: Any] { recipe[key] as? [String: Any] ?? [:] }
        self.recipe = recipe["name"] as? String
        command = recorded["command"] as? String
        epoch = recorded["epoch"] as? Int
        epochs = recipe["epochs"] as? Int
        step = recorded["step"] as? Int
        if let epochs, let perEpoch = (recipe["steps_per_epoch"] ?? recipe["stepsPerEpoch"]) as? Int { steps = epochs * perEpoch }
        photos = recorded["photos"] as? Int
        seconds = recorded["seconds"] as? Double
        let settings = section("optimizer")
        optimizer = settings.isEmpty ? nil : "AdamW"
        learningRate = settings["rate"] as? Double
        weightDecay = (settings["weight_decay"] ?? settings["decay"]) as? Double
        let batch = section("batch")
        if let views = batch["views"] as? Int {
            let shares = (batch["from"] ?? batch["shares"]) as? [[String: Any]] ?? [batch]
            let parts = [("items", "garments"), ("singles", "single photos")].compactMap { key, name in
                let count = shares.reduce(0) { $0 + ($1[key] as? Int ?? 0) }
                return count > 0 ? "\(count) \(name) × \(views)" : nil
            }
            self.batch = parts.isEmpty ? nil : parts.joined(separator: " + ")
        }
        if let losses = recipe["losses"] as? [[String: Any]] {
            loss = losses.compactMap { entry in
                guard let name = entry["name"] as? String, let weight = entry["weight"] as? Double else { return nil }
                return ModelCard.Term(name: name, weight: weight)
            }
            temperature = losses.lazy.compactMap { $0["temperature"] as? Double }.first
        } else {
            let losses = section("losses")
            temperature = losses["itemTemperature"] as? Double
            loss = losses.filter { $0.key != "itemTemperature" }.compactMap { key, value in
                (value as? Double).flatMap { $0 > 0 ? ModelCard.Term(name: key, weight: $0) : nil }
            }
        }
        loss = loss.flatMap { $0.isEmpty ? nil : $0.sorted { ($1.weight, $0.name) < ($0.weight, $1.name) } }
        captions = recipe["captions"] as? [String]
        validation = recorded["validation"] as? [String: Double]
        curve = (recorded["curve"] as? [[String: Any]])?.compactMap { point in
            guard let epoch = point["epoch"] as? Int, let score = point["score"] as? Double else { return nil }
            return ModelCard.CurvePoint(epoch: epoch, score: score)
        }
        if self.recipe == nil && command == nil && step == nil && validation == nil { return nil }
    }
}
