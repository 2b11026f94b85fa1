/// Forms of earlier versions that recipes and runs are still read in. Nothing writes them.
extension RecipeForm {
    /// Brings the `recipe.json` of a run of version 1, which was not in the recipe's own form, into it.
    /// - Returns: whether it was one.
    func becomesRecipe() -> Bool {
        guard holdsObject("start") else { return false }
        rewrite(Self.recipe(ofRun:))
        return true
    }

    /// Keys were Swift's names of properties, and choices with values objects of one key.
    private static func recipe(ofRun run: [String: Any]) -> [String: Any] {
        var recipe = snaked(run) as? [String: Any] ?? [:]
        let start = recipe.removeValue(forKey: "start") as? [String: Any] ?? [:]
        if let model = start["model"] as? [String: Any] {
            recipe["model"] = ["start": model["_0"] ?? ""]
        } else if let new = start["new"] as? [String: Any], var model = new["_0"] as? [String: Any] {
            model["vocabulary"] = new["vocabulary"]
            model["embedding"] = model.removeValue(forKey: "embedding_size")
            let tower = model.removeValue(forKey: "tower") as? [String: Any] ?? [:]
            for (kind, name) in [("transformer", "vit"), ("res_net", "resnet")] {
                guard let settings = tower[kind] as? [String: Any] else { continue }
                model["tower"] = name
                model.merge(settings) { _, setting in setting }
            }
            recipe["model"] = model
        }
        if let isFrozen = recipe.removeValue(forKey: "batch_norm_frozen") as? Bool {
            recipe["batch_norm"] = isFrozen ? "frozen" : "train"
        }
        if var batch = recipe["batch"] as? [String: Any], let shares = batch.removeValue(forKey: "shares") as? [[String: Any]] {
            if shares.count == 1 { batch.merge(shares[0]) { _, share in share } } else { batch["from"] = shares }
            recipe["batch"] = batch
        }
        if var optimizer = recipe["optimizer"] as? [String: Any] {
            optimizer["weight_decay"] = optimizer.removeValue(forKey: "decay")
            recipe["optimizer"] = optimizer
        }
        return recipe
    }

    /// `stepsPerEpoch` becomes `steps_per_epoch`, at every depth.
    private static func snaked(_ value: Any) -> Any {
        if let list = value as? [Any] { return list.map(snaked) }
        guard let object = value as? [String: Any] else { return value }
        return Dictionary(
            object.map { key, value in
                (key.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined(), snaked(value))
            }, uniquingKeysWith: { first, _ in first })
    }
}

extension Recipe.Loss {
    /// Version 1 had four weights under fixed names, 0 for a term that is left out. The terms keep those names, so that the metrics of a run
    /// that goes on keep theirs.
    static func earlierList(_ form: RecipeForm) throws(TrainingError) -> [Self]? {
        try form.section("losses", nil) { form, _ throws(TrainingError) in
            func weight(_ key: String) throws(TrainingError) -> Double { try form.number(key, nil, in: 0...1000, default: 0) }
            let (imageText, items) = (try weight("image_text"), try weight("items"))
            let temperature = try form.number("item_temperature", nil, in: 0.001...10, default: 0.1)
            let supCon = SupCon(by: ["product_id"], on: .image, temperature: temperature)
            return [
                Self(kind: .infoNCE(InfoNCE()), weight: imageText, name: "image_text"),
                Self(kind: .supCon(supCon), weight: items, name: "items"),
                Self(kind: .teacher(TeacherRegression()), weight: try weight("teacher"), name: "teacher"),
                Self(
                    kind: .teacherRelations(TeacherRelations()), weight: try weight("teacher_relations"),
                    name: "teacher_relations"),
            ].filter { $0.weight > 0 }
        }
    }
}

extension Recipe.Schedule {
    /// Version 1 had one schedule, its two numbers beside those of the optimizer.
    static func earlier(_ form: RecipeForm) throws(TrainingError) -> Self {
        .cosine(
            WarmupCosine(
                warmup: try form.integer("warmup_steps", nil, in: 0...10_000_000, default: 0),
                final: try form.number("final_factor", nil, in: 0...1, default: 0)))
    }
}
