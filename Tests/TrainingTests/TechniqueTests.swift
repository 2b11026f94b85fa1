import CLIP
import Foundation
import TensorFiles
import Testing
import Tokenizers
import Torch

@testable import Training

/// What a recipe may do beside losses, samplers and schedules: that it changes what it says it changes, and nothing else.
@Suite("Trainer: chunks, accumulation, prefixes, memories, prototypes, prompts", .serialized)
struct TechniqueTests {
    private static let product = ["product_id"]

    /// A step over the tiny data, with its loader.
    private struct Setup {
        let tiny: TinyRun
        let recipe: Recipe
        let data: TrainingData
        let start: TrainingStart
        let step: TrainingStep
        let loader: BatchLoader

        init(_ tower: TinyRun.Tower, _ change: (inout Recipe) -> Void) throws { try self.init(TinyRun(tower), change) }

        /// Setups that are compared share a run: its start was drawn once.
        init(_ tiny: TinyRun, _ change: (inout Recipe) -> Void) throws {
            var recipe = tiny.recipe
            change(&recipe)
            let data = try TrainingData(
                tiny.sources.datasets, templates: recipe.captions, labelColumns: recipe.labelColumns,
                teachers: tiny.sources.teachers, teacherPaths: ["teacher"])
            let start = try TrainingStart(recipe)
            step = try TrainingStep(
                model: start.model, recipe: recipe, teacherSize: 6, classes: data.labelCounts,
                texts: start.tokenizer.map { LabelTexts(data, tiny.sources.datasets, tokenizer: $0, device: .cpu) },
                learned: .init(path: "none", prototypes: nil), device: .cpu)
            loader = try BatchLoader(data, recipe: recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
            (self.tiny, self.recipe, self.data, self.start) = (tiny, recipe, data, start)
        }

        /// The gradients that a step leaves behind, by name.
        func gradients() throws -> [String: [Float]] {
            var result: [String: [Float]] = [:]
            for (name, tensor) in start.model.store.parameters + step.heads.all.map({ ($0.name, $0.tensor) }) {
                result[name] = try tensor.gradient()?.floats()
            }
            return result
        }
    }

    /// How far two lists of gradients are from each other, of the length of the second.
    private func difference(_ one: [String: [Float]], _ other: [String: [Float]]) throws -> Double {
        try #require(Set(one.keys) == Set(other.keys) && !other.isEmpty)
        var (distance, length) = (0.0, 0.0)
        for (name, values) in other {
            for (a, b) in zip(try #require(one[name]), values) {
                distance += Double((a - b) * (a - b))
                length += Double(b * b)
            }
        }
        return (distance / length).squareRoot()
    }

    @Test("in chunks of any size the gradient is the whole batch's", arguments: TinyRun.Tower.allCases)
    func chunks(_ tower: TinyRun.Tower) throws {
        let tiny = try TinyRun(tower)
        func run(_ chunk: Int) throws -> (report: StepReport, gradients: [String: [Float]]) {
            let setup = try Setup(tiny) {
                $0.batchNormFrozen = true
                $0.batch.chunk = chunk
                $0.optimizer.clipNorm = 0
                $0.losses = [
                    .init(kind: .infoNCE(InfoNCE()), weight: 1, name: "info_nce"),
                    .init(kind: .supCon(SupCon(by: Self.product, on: .imageText, temperature: 0.2)), weight: 1, name: "supcon"),
                    .init(kind: .teacher(TeacherRegression()), weight: 1, name: "teacher"),
                    .init(
                        kind: .arcFace(ArcFace(by: Self.product, on: .image, margin: 0.3, scale: 16, neck: true)), weight: 1,
                        name: "arcface"),
                ]
            }
            return (try setup.step.run(setup.loader.batch(step: 0), step: 0), try setup.gradients())
        }
        for chunk in [1, 3, 7] {
            // Beside other work a run may add in another order than the one before, and a ReLU whose input is within a rounding of 0 opens in one
            // of them alone. What chunks did wrong would be there each time.
            var far = Double.infinity
            for _ in 0..<3 where far >= 1e-5 {
                let (whole, parts) = (try run(0), try run(chunk))
                #expect(abs(parts.report.loss - whole.report.loss) < 1e-5 * whole.report.loss)
                far = try min(far, difference(parts.gradients, whole.gradients))
            }
            #expect(far < 1e-5, "chunks of \(chunk): \(far)")
        }
    }

    @Test("chunks and batch norms that train are refused")
    func chunksNeedFrozenNorms() throws {
        let tiny = try TinyRun(.resnet)
        var object = try tiny.recipe.object()
        object["batch"] = ["items": 2, "views": 2, "singles": 2, "chunk": 4]
        let path = try tiny.folder.write(
            String(decoding: JSONSerialization.data(withJSONObject: object), as: UTF8.self), to: "c.json")
        let error = #expect(throws: TrainingError.self) { try Recipe(path: path) }
        #expect(error?.description.contains("batch_norm frozen") == true)
    }

    @Test("two batches make one update with their mean gradient", arguments: TinyRun.Tower.allCases)
    func accumulation(_ tower: TinyRun.Tower) throws {
        let tiny = try TinyRun(tower)
        func setup() throws -> Setup {
            try Setup(tiny) {
                $0.batchNormFrozen = true
                $0.optimizer.clipNorm = 0
            }
        }
        let (first, second, both) = (try setup(), try setup(), try setup())
        let batches = try (0..<2).map { try first.loader.batch(step: $0) }
        let reports = (try first.step.run(batches[0], step: 0), try second.step.run(batches[1], step: 0))
        let report = try both.step.run(batches, step: 0)
        #expect(abs(report.loss - (reports.0.loss + reports.1.loss) / 2) < 1e-5)
        let (a, b) = (try first.gradients(), try second.gradients())
        let mean = a.merging(b) { zip($0, $1).map { ($0 + $1) / 2 } }
        #expect(try difference(both.gradients(), mean) < 1e-5)
    }

    @Test("a run with accumulation takes the batches two by two, and resumes bit by bit")
    func accumulatedRun() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.optimizer.accumulate = 2
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        #expect(try tiny.train(to: straight))
        #expect(try !tiny.train(stop: 4))
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
    }

    @Test("with prefixes a loss is the mean over beginnings of the vectors and the whole")
    func prefixes() throws {
        let tiny = try TinyRun(.vit)
        func losses(_ prefixes: [Int]) throws -> [String: Double] {
            let setup = try Setup(tiny) {
                $0.losses = [
                    .init(
                        kind: .supCon(SupCon(by: Self.product, on: .image, temperature: 0.2)), weight: 1, name: "supcon",
                        prefixes: prefixes),
                    .init(
                        kind: .crossEntropy(CrossEntropy(by: Self.product, on: .image, smoothing: 0, neck: false)), weight: 1,
                        name: "ce", prefixes: prefixes),
                ]
            }
            return try setup.step.run(setup.loader.batch(step: 0), step: 0).terms
        }
        let (whole, both) = (try losses([]), try losses([4]))
        let (wholeSupCon, wholeCE) = (try #require(whole["supcon"]), try #require(whole["ce"]))
        let (bothSupCon, bothCE) = (try #require(both["supcon"]), try #require(both["ce"]))
        // By hand on the first four numbers.
        let setup = try Setup(tiny) {
            $0.losses = [
                .init(
                    kind: .crossEntropy(CrossEntropy(by: Self.product, on: .image, smoothing: 0, neck: false)), weight: 1,
                    name: "ce"),
                .init(kind: .supCon(SupCon(by: Self.product, on: .image, temperature: 0.2)), weight: 1, name: "supcon"),
            ]
        }
        let batch = try setup.loader.batch(step: 0)
        let short = try withoutGradients {
            let features = try setup.start.model.encodeImages(#require(batch.squares).tensor(on: .cpu), .train)
                .narrowed(1, start: 0, length: 4)
            let head = try #require(setup.step.heads["ce_head"]).narrowed(1, start: 0, length: 4)
            return (
                supCon: try SupCon.loss(features.normalized(), labels: batch.items, temperature: 0.2).item(),
                ce: try CrossEntropy.loss(features, labels: batch.items, weight: head, smoothing: 0).item()
            )
        }
        #expect(abs(bothSupCon - (wholeSupCon + short.supCon) / 2) < 1e-5)
        // The heads of the two setups are drawn alike: cross-entropy is the only loss with one.
        #expect(abs(bothCE - (wholeCE + short.ce) / 2) < 1e-5)
        #expect(throws: TrainingError.self) { try losses([12]) }
    }

    @Test("a memory holds the latest vectors and labels, the oldest make room, and what it adds is compared with")
    func memory() throws {
        let heads = HeadScope(heads: Heads(seed: 1, device: .cpu), name: "m", rate: 1)
        try VectorMemory.add(to: heads, size: 5, dimension: 2)
        #expect(try VectorMemory(heads, dimension: 2) == nil)
        func put(_ labels: [Int]) throws {
            let vectors = try Tensor(labels.flatMap { [Float($0), 1] }, shape: [labels.count, 2])
            try VectorMemory.put(vectors, labels: labels, in: heads)
        }
        func held() throws -> (labels: [Int], vectors: [Float]) {
            let memory = try #require(try VectorMemory(heads, dimension: 2))
            return (memory.labels, try memory.vectors.floats())
        }
        try put([1, 2])
        #expect(try held().labels == [1, 2] && held().vectors == [1, 1, 2, 1])
        try put([3, 4])
        try put([5, 6])
        #expect(try held().labels.sorted() == [2, 3, 4, 5, 6])
        try put([7, 8, 9, 10, 11, 12, 13])
        #expect(try held().labels.sorted() == [9, 10, 11, 12, 13])
        for round in 0..<40 {
            try put([round, round + 100])
            let (labels, vectors) = try held()
            #expect(labels.count == 5)
            for (place, label) in labels.enumerated() { #expect(vectors[2 * place] == Float(label)) }
            if round > 2 { #expect(Set(labels).isSuperset(of: [round, round + 100, round - 1, round + 99])) }
        }
        #expect(heads.heads.all.allSatisfy { $0.rate == nil }, "what is remembered is not trained")
    }

    @Test("everything that is remembered goes on bit by bit after a stop", arguments: TinyRun.Tower.allCases)
    func resume(_ tower: TinyRun.Tower) throws {
        let tiny = try TinyRun(tower)
        tiny.recipe.losses = [
            .init(
                kind: .supCon(SupCon(by: Self.product, on: .image, temperature: 0.2, memory: 20)), weight: 1, name: "supcon",
                prefixes: [6]),
            .init(
                kind: .triplet(Triplet(by: Self.product, on: .image, mining: .batchHard, margin: .soft, memory: 12)), weight: 1,
                name: "triplet"),
            .init(kind: .weightDrift(WeightDrift()), weight: 0.1, name: "drift"),
            .init(kind: .teacherContrast(TeacherContrast(temperature: 0.1)), weight: 1, name: "contrast"),
            .init(
                kind: .textPrototypes(TextPrototypes(by: ["label"], source: .captions, temperature: nil, smoothing: 0.1)),
                weight: 1,
                name: "prototypes"),
            .init(
                kind: .dynamicPrompts(DynamicPrompts(by: ["label"], template: "{tokens} {label}", tokens: 2)), weight: 1,
                name: "dynamic"),
        ]
        tiny.recipe.trainable = ["visual."]
        tiny.recipe.optimizer.ema = 0.9
        tiny.recipe.optimizer.layerDecay = 0.8
        tiny.recipe.batch = .init(views: 2, shares: [.init(items: 2, singles: 0)], sampler: .onePerItem)
        tiny.recipe.batch.shares[0].items = 4
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        #expect(try tiny.train(to: straight))
        for (index, stop) in [2, 5].enumerated() { #expect(try !tiny.train(resume: index > 0, stop: stop)) }
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
        #expect(try TinyRun.weights(tiny.run.last) == TinyRun.weights(straight.last))
        let lines = try TinyRun.metrics(straight).filter { $0["loss"] != nil }
        #expect(lines.first?["loss_drift"] == 0)
        #expect(try #require(lines.last?["loss_drift"]) > 0)
        for term in ["supcon", "triplet", "contrast", "prototypes", "dynamic"] {
            #expect(lines.allSatisfy { ($0["loss_\(term)"] ?? 0) > 0 }, "\(term)")
        }
    }

    @Test("a text tower that is trained can't hold still for prototypes")
    func prototypesNeedFrozenTexts() throws {
        let error = #expect(throws: TrainingError.self) {
            try Setup(.vit) {
                $0.losses = [
                    .init(
                        kind: .textPrototypes(TextPrototypes(by: ["label"], source: .captions, temperature: nil, smoothing: 0)),
                        weight: 1, name: "p")
                ]
            }
        }
        #expect(error?.description.contains("stay as it is") == true)
    }

    @Test("an embedding in a token's place is that token where it is the token's own")
    func replacedEmbeddings() throws {
        let setup = try Setup(.vit) { _ in }
        let tokenizer = try #require(setup.start.tokenizer)
        let ids = ["a photo of a dress", "a red shoe of a shoe"].flatMap { tokenizer.encode($0).ids.map(Int64.init) }
        let texts = try Tensor(ids, shape: [2, tokenizer.contextLength])
        let table = try #require(setup.start.model.store.parameters.first { $0.name == "token_embedding.weight" }?.tensor)
        let places = [[2, 3], [1, 4]]
        let own = places.enumerated().flatMap { text, places in places.map { ids[text * tokenizer.contextLength + $0] } }
        try withoutGradients {
            let plain = try setup.start.model.encodeTexts(texts).floats()
            let rows = try table.rows(Tensor(own, shape: [4])).reshaped([2, 2, 64])
            #expect(try setup.start.model.encodeTexts(texts, with: rows, at: places).floats() == plain)
            #expect(try setup.start.model.encodeTexts(texts, with: rows * 2, at: places).floats() != plain)
        }
        #expect(throws: (any Error).self) {
            try setup.start.model.encodeTexts(texts, with: .zeros([2, 2, 64]), at: [[2, 99], [1, 4]])
        }
    }

    @Test("prompts are learned for every label, kept beside the model, and teach the run that follows")
    func prompts() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.trainable = []
        tiny.recipe.losses = [
            .init(
                kind: .prompts(Prompts(by: Self.product, template: "a photo of a {tokens} {label}", tokens: 3)), weight: 1,
                name: "prompts")
        ]
        tiny.recipe.optimizer.rate = 0.05
        tiny.recipe.epochs = 20
        #expect(try tiny.train())
        let lines = try TinyRun.metrics(tiny.run).compactMap { $0["loss_prompts"] }
        let (begin, end): (Double, Double) = (lines.prefix(9).reduce(0, +), lines.suffix(9).reduce(0, +))
        #expect(end < 0.97 * begin)
        let start = "\(tiny.folder.path)/start"
        #expect(try TinyRun.weights(tiny.run.best) == TinyRun.weights(start), "the model itself stays as it was")
        let file = try SafetensorsFile(path: "\(tiny.run.best)/prototypes.safetensors")
        #expect(file.tensors["prototypes"]?.shape == [8, 12])

        let second = RunFolder(path: "\(tiny.folder.path)/second")
        tiny.recipe.start = .model(tiny.run.path)
        tiny.recipe.trainable = ["visual."]
        tiny.recipe.epochs = 2
        tiny.recipe.losses = [
            .init(
                kind: .textPrototypes(TextPrototypes(by: Self.product, source: .learned, temperature: 0.1, smoothing: 0.1)),
                weight: 1,
                name: "learned")
        ]
        #expect(try tiny.train(to: second))
        #expect(try TinyRun.metrics(second).allSatisfy { $0["loss"] == nil || ($0["loss_learned"] ?? 0) > 0 })

        tiny.recipe.start = .model(start)
        let error = #expect(throws: TrainingError.self) { try tiny.train(to: RunFolder(path: "\(tiny.folder.path)/third")) }
        #expect(error?.description.contains("loss of kind prompts") == true)
    }

    @Test("dynamic prompts whose network says nothing are one prompt for all pictures")
    func dynamicPrompts() throws {
        let setup = try Setup(.vit) {
            $0.trainable = []
            $0.losses = [
                .init(
                    kind: .dynamicPrompts(DynamicPrompts(by: ["label"], template: "{tokens} {label}", tokens: 2)), weight: 1,
                    name: "d")
            ]
        }
        try withoutGradients { try #require(setup.step.heads["d_up"]).copyInPlace(from: .zeros([64, 1])) }
        let batch = try setup.loader.batch(step: 0)
        let found = try #require(try setup.step.run(batch, step: 0).terms["d"])
        let labels = try #require(batch.labels[["label"]])
        let different = Set(labels).sorted()
        let again = try Setup(setup.tiny) { $0 = setup.recipe }
        let expected = try withoutGradients {
            let scope = HeadScope(heads: again.step.heads, name: "d", rate: 1)
            let (ids, places) = try scope.prompted(different)
            let tokens = try scope.tensor("tokens").reshaped([1, 2, 64]).expanded([different.count, 2, 64])
            let texts = try again.start.model.encodeTexts(ids, with: tokens, at: places).normalized()
            let images = try again.start.model.encodeImages(#require(batch.squares).tensor(on: .cpu), .train).normalized()
            let logits = try images.matmul(texts.transposed()) * again.start.model.logitScale.exp()
            return try CrossEntropy.loss(logits: logits, labels: labels.map { different.firstIndex(of: $0)! }).item()
        }
        #expect(abs(found - expected) < 1e-5, "\(found), \(expected)")
    }

    @Test("rates fall from block to block towards the input, and what stands outside of blocks has its tower's end's")
    func layerDecay() {
        let names = [
            "visual.conv1.weight", "visual.transformer.resblocks.0.ln_1.weight", "visual.transformer.resblocks.2.mlp.c_fc.bias",
            "visual.proj", "token_embedding.weight", "transformer.resblocks.0.ln_1.weight", "transformer.resblocks.1.ln_1.weight",
            "text_projection", "logit_scale",
        ]
        let decay = LayerDecay(names, factor: 0.5)
        let expected: [Double] = [0.0625, 0.125, 0.5, 1, 0.125, 0.25, 0.5, 1, 1]
        #expect(names.map(decay.factor) == expected)
        let stages = [
            "visual.conv1.weight", "visual.layer1.0.conv1.weight", "visual.layer4.1.bn2.bias", "visual.attnpool.c_proj.bias",
        ]
        let ofStages: [Double] = [0.03125, 0.0625, 0.5, 1]
        #expect(stages.map(LayerDecay(stages, factor: 0.5).factor) == ofStages)
        let trunk = ["visual.trunk.conv_stem.weight", "visual.trunk.blocks.6.0.conv_dw.weight", "visual.head.proj.weight"]
        let ofTrunk: [Double] = [0.00390625, 0.5, 1]
        #expect(trunk.map(LayerDecay(trunk, factor: 0.5).factor) == ofTrunk)
        #expect(names.map(LayerDecay(names, factor: 1).factor).allSatisfy { $0 == 1 })
    }

    @Test("a run ends when no epoch was better for long, stays ended, and the least of a figure may be the best")
    func earlyStopping() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.epochs = 12
        tiny.recipe.optimizer.rate = 0
        tiny.recipe.earlyStopping = .init(patience: 2, atLeast: 4)
        var stopped: [Int] = []
        let report: (TrainingEvent) -> Void = { if case .stoppedEarly(let epoch, let best) = $0 { stopped += [epoch, best] } }
        #expect(try tiny.train(report))
        // Nothing changes, so the first epoch stays the best; four are taken in any case.
        #expect(stopped == [4, 1])
        #expect(try TinyRun.metrics(tiny.run).filter { $0["loss"] != nil }.count == 12)
        let before = try TinyRun.metrics(tiny.run)
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run) == before)
        let (more, less) = (Recipe.Selection(metric: "score", mode: .max), Recipe.Selection(metric: "score", mode: .min))
        #expect(more.prefers(0.2, to: 0.1) && !more.prefers(0.1, to: 0.1))
        #expect(less.prefers(0.1, to: 0.2) && less.prefers(1, to: nil))
    }

    @Test("without epochs the start itself is measured and kept")
    func nothingTrained() throws {
        let tiny = try TinyRun(.resnet)
        tiny.recipe.epochs = 0
        tiny.recipe.losses = []
        #expect(try tiny.train())
        #expect(try TinyRun.weights(tiny.run.best) == TinyRun.weights("\(tiny.folder.path)/start"))
        #expect(try TinyRun.metrics(tiny.run).first?["val_score"] != nil)
        let again = try Recipe(path: "\(tiny.run.path)/recipe.json")
        #expect(again.epochs == 0 && again.losses.isEmpty)
    }

    @Test("without a number of steps an epoch shows as many views as there are photos, and the run's recipe says how many")
    func stepsOfTheData() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.stepsPerEpoch = 0
        tiny.recipe.epochs = 2
        tiny.recipe.batch = .init(views: 1, shares: [.init(items: 5, singles: 0)], sampler: .shuffled)
        tiny.recipe.losses = [.init(kind: .teacher(TeacherRegression()), weight: 1, name: "teacher")]
        #expect(try !tiny.train(stop: 4))
        // Twelve photos in batches of five.
        #expect(try Recipe(path: "\(tiny.run.path)/recipe.json").stepsPerEpoch == 3)
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run).filter { $0["loss"] != nil }.count == 6)
    }

    @Test("mined negatives are read from the recipe's file, and a broken one is named by line")
    func minedFile() throws {
        let tiny = try TinyRun(.vit)
        let lines = HardNegatives(lines: [
            .init(productID: "0", negatives: [.init(productID: "2", score: 0.9), .init(productID: "3", score: 0.5)]),
            .init(productID: "1", negatives: [.init(productID: "3", score: 0.9)]),
        ])
        let path = "\(tiny.folder.path)/hard.jsonl"
        try lines.jsonLines.write(to: URL(filePath: path))
        #expect(try HardNegatives(path: path) == lines)
        tiny.recipe.batch = .init(views: 2, shares: [.init(items: 4, singles: 0)], sampler: .mined(file: path, hard: 1))
        #expect(try tiny.train())
        try Data(try lines.jsonLines + Data("{\"product_id\": 3}\n".utf8)).write(to: URL(filePath: path))
        let error = #expect(throws: TrainingError.self) { try HardNegatives(path: path) }
        #expect(error?.description.contains("line 3") == true)
    }

    @Test("a batch larger than the data, a category too few and other lacks are told before the run begins")
    func lacks() throws {
        for (batch, words) in [
            (
                Recipe.Batch(views: 1, shares: [.init(items: 99, singles: 0)], sampler: .shuffled),
                "99 photos, and the data has 12"
            ),
            (Recipe.Batch(views: 1, shares: [.init(items: 99, singles: 0)], sampler: .onePerItem), "99 different items"),
            (
                Recipe.Batch(views: 2, shares: [.init(items: 8, singles: 0)], sampler: .category(by: "label", count: 4)),
                "4 categories of two items"
            ),
        ] {
            let tiny = try TinyRun(.vit)
            tiny.recipe.batch = batch
            let error = #expect(throws: TrainingError.self) { try tiny.train() }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            #expect(!tiny.run.holdsRun)
        }
    }

    @Test("a collapse and a loss at chance are told once, where they are, and not where they are not")
    func collapse() {
        func report(cosine: Double, loss: Double) -> StepReport {
            StepReport(loss: loss, terms: ["supcon": loss], chance: ["supcon": 4], cosine: cosine, gradientNorm: 1, rate: 1)
        }
        var watch = CollapseWatch(told: [])
        #expect((0..<200).allSatisfy { _ in watch.see(report(cosine: 0.7, loss: 2)) == nil })
        let told = (0..<200).compactMap { _ in watch.see(report(cosine: 0.999, loss: 4.01)) }
        #expect(told.count == 2 && told[0].contains("collapse") && told[1].contains("supcon stays at chance (4.000)"))
        var again = CollapseWatch(told: watch.told)
        #expect((0..<200).allSatisfy { _ in again.see(report(cosine: 0.999, loss: 4.01)) == nil })
        // On its way through chance, a loss is not at it.
        var passing = CollapseWatch(told: [])
        for step in 0..<200 {
            let loss: Double = 5 - Double(step) / 100
            #expect(passing.see(report(cosine: 0.5, loss: loss)) == nil)
        }
    }

    @Test("a loss whose batches are solved is told once")
    func solved() {
        func report(_ loss: Double) -> StepReport {
            StepReport(
                loss: loss, terms: ["supcon": loss], chance: ["supcon": 4], floor: ["supcon": 1], cosine: 0.1, gradientNorm: 1,
                rate: 1)
        }
        var watch = CollapseWatch(told: [])
        #expect((0..<100).allSatisfy { _ in watch.see(report(1.2)) == nil })
        let told = (0..<200).compactMap { _ in watch.see(report(1.03)) }
        #expect(told.count == 1 && told[0].contains("supcon is at its floor (1.000)"), "\(told)")
    }

    @Test("the floor of a step is what perfect vectors give")
    func floor() throws {
        // Three photos of one garment, two of another, one alone: three anchors at ln 2, two at ln 1.
        let labels = [0, 0, 0, 1, 1, 2]
        let perfect = try Tensor(
            labels.flatMap { label in (0..<3).map { $0 == label ? Float(1) : 0 } }, shape: [6, 3])
        let expected = 3 * log(2.0) / 5
        #expect(abs(try SupCon.loss(perfect, labels: labels, temperature: 0.01).item() - expected) < 1e-5)
        let tiny = try TinyRun(.vit)
        tiny.recipe.losses = [
            .init(kind: .supCon(SupCon(by: ["product_id"], on: .imageText, temperature: 0.1)), weight: 1, name: "supcon")
        ]
        tiny.recipe.batch = .init(items: 4, views: 2, singles: 0)
        var floors: [Double] = []
        try tiny.train { if case .step(_, let result, _) = $0 { floors.append(result.floor["supcon"] ?? 0) } }
        // Two photos of a garment and one text: two positives each.
        #expect(!floors.isEmpty && floors.allSatisfy { abs($0 - log(2)) < 1e-9 }, "\(floors)")
    }

    @Test("what the paper's stage 2 did collapses, and the run says so")
    func constantCaption() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.captions = ["a photo of a clothing item"]
        tiny.recipe.trainable = ["visual."]
        tiny.recipe.batch = .init(views: 1, shares: [.init(items: 8, singles: 0)], sampler: .shuffled)
        tiny.recipe.losses = [
            .init(kind: .supCon(SupCon(by: ["image"], on: .imageText, temperature: 0.07)), weight: 1, name: "supcon")
        ]
        tiny.recipe.optimizer.rate = 0.003
        tiny.recipe.epochs = 60
        var remarks: [String] = []
        try tiny.train { if case .remark(let remark) = $0 { remarks.append(remark) } }
        #expect(remarks.contains { $0.contains("collapse") }, "\(remarks)")
        #expect((try Checkpoint(path: tiny.run.last).recorded()?["remarks"] as? [String])?.isEmpty == false)
    }
}
