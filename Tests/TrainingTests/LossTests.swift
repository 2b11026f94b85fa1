import Foundation
import Testing
import Torch

@testable import Training

/// Numbers of `tools/golden/losses.py`, computed in float64 by pytorch-metric-learning and torch.
private struct Golden: Decodable, Sendable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let value: Double
        let inputs: [String: [Float]]
        let shapes: [String: [Int]]
        let gradients: [String: [Double]]
        let captions: [Int]?
        let labels: [Int]?
        let memoryLabels: [Int]?
        let temperature: Double?
        let smoothing: Double?
        let margin: Double?
        let scale: Double?
        let mining: String?
        let triplets: Int?

        var testDescription: String { name }

        func leaf(_ name: String) throws -> Tensor {
            let tensor = try Tensor(#require(inputs[name]), shape: #require(shapes[name]))
            try tensor.setRequiresGradient(gradients[name] != nil)
            return tensor
        }
    }
    struct OneCycleTable: Decodable, Sendable {
        let steps: Int
        let rise: Double
        let first: Double
        let final: Double
        let factors: [Double]
    }
    struct StepDecayTable: Decodable, Sendable {
        let steps: Int
        let at: [Int]
        let drop: Double
        let factors: [Double]
    }
    let infoNce: [Case]
    let supCon: [Case]
    let teacher: [Case]
    let crossEntropy: [Case]
    let arcFace: [Case]
    let normalizedSoftmax: [Case]
    let triplet: [Case]
    let proxyAnchor: [Case]
    let supConMemory: [Case]
    let tripletMemory: [Case]
    let teacherContrast: [Case]
    let textPrototypes: [Case]
    let weightDrift: [Case]
    let oneCycle: [OneCycleTable]
    let stepDecay: [StepDecayTable]

    static let all = Result { try Fixtures.decoded("losses.json", as: Golden.self) }
}

/// What the project asks of every loss and gradient. float32 alone gives about 1e-6.
private let tolerance = 1e-5

private func expect(_ loss: Tensor, of leaves: [String: Tensor], equals golden: Golden.Case) throws {
    let value = try loss.item()
    #expect(abs(value - golden.value) <= tolerance * abs(golden.value), "\(value), expected \(golden.value)")
    try loss.backward()
    #expect(!golden.gradients.isEmpty)
    for (name, expected) in golden.gradients {
        let found = try #require(try leaves[name]?.gradient()).floats().map(Double.init)
        try #require(found.count == expected.count)
        let difference = zip(found, expected).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
        let length = expected.map { $0 * $0 }.reduce(0, +).squareRoot()
        #expect(difference <= tolerance * length, "gradient of \(name): off by \(difference) of \(length)")
    }
}

@Suite("Losses against pytorch-metric-learning and torch")
struct LossReferenceTests {
    @Test("the fixtures hold cases of every loss")
    func present() throws {
        let golden = try Golden.all.get()
        #expect(golden.infoNce.count == 3 && golden.supCon.count == 3 && golden.teacher.count == 2)
        #expect(golden.crossEntropy.count == 3 && golden.arcFace.count == 5 && golden.normalizedSoftmax.count == 2)
        #expect(golden.triplet.count == 3 && golden.proxyAnchor.count == 2)
        #expect(golden.oneCycle.count == 2 && golden.stepDecay.count == 2)
    }

    @Test("InfoNCE and its gradients equal cross-entropy of torch, with distinct and with equal captions")
    func infoNCE() throws {
        for golden in try Golden.all.get().infoNce {
            let leaves = try [
                "images": golden.leaf("images"), "texts": golden.leaf("texts"), "log_scale": golden.leaf("log_scale"),
            ]
            let loss = try InfoNCE.loss(
                images: #require(leaves["images"]).normalized(), texts: #require(leaves["texts"]).normalized(),
                captions: #require(golden.captions), logitScale: #require(leaves["log_scale"]))
            try expect(loss, of: leaves, equals: golden)
        }
    }

    @Test("SupCon and its gradient equal pytorch-metric-learning's")
    func supCon() throws {
        for golden in try Golden.all.get().supCon {
            let leaf = try golden.leaf("embeddings")
            let loss = try SupCon.loss(
                leaf.normalized(), labels: #require(golden.labels), temperature: #require(golden.temperature))
            try expect(loss, of: ["embeddings": leaf], equals: golden)
        }
    }

    @Test("the teacher's terms and their gradients equal cosine_similarity and mse_loss of torch")
    func teacher() throws {
        for golden in try Golden.all.get().teacher {
            let (student, teacher) = try (golden.leaf("student"), golden.leaf("teacher"))
            let loss =
                try golden.name == "regression"
                ? TeacherRegression.loss(predicted: student, teacher: teacher)
                : TeacherRelations.loss(student: student.normalized(), teacher: teacher)
            try expect(loss, of: ["student": student], equals: golden)
        }
    }

    /// The features of a case, behind a neck where it has one, its labels, its classes' vectors, and the leaves.
    private func classified(_ golden: Golden.Case) throws -> (
        features: Tensor, labels: [Int], weight: Tensor, leaves: [String: Tensor]
    ) {
        var leaves = try ["features": golden.leaf("features"), "weight": golden.leaf("weight")]
        var features = try #require(leaves["features"])
        if golden.inputs["neck"] != nil {
            let weight = try golden.leaf("neck")
            leaves["neck"] = weight
            features = try Neck.normed(features, weight: weight)
        }
        return (features, try #require(golden.labels), try #require(leaves["weight"]), leaves)
    }

    @Test("cross-entropy and its gradients equal torch's, smoothed or not, and behind a neck")
    func crossEntropy() throws {
        for golden in try Golden.all.get().crossEntropy {
            let (features, labels, weight, leaves) = try classified(golden)
            let loss = try CrossEntropy.loss(
                features, labels: labels, weight: weight, smoothing: #require(golden.smoothing))
            try expect(loss, of: leaves, equals: golden)
        }
    }

    @Test("ArcFace and its gradients equal pytorch-metric-learning's, also where the margin passes half a turn")
    func arcFace() throws {
        for golden in try Golden.all.get().arcFace {
            let (features, labels, weight, leaves) = try classified(golden)
            let loss = try ArcFace.loss(
                features, labels: labels, weight: weight, margin: #require(golden.margin), scale: #require(golden.scale))
            try expect(loss, of: leaves, equals: golden)
        }
    }

    @Test("normalised softmax and its gradients equal pytorch-metric-learning's")
    func normalizedSoftmax() throws {
        for golden in try Golden.all.get().normalizedSoftmax {
            let (features, labels, weight, leaves) = try classified(golden)
            let loss = try NormalizedSoftmax.loss(
                features, labels: labels, weight: weight, temperature: #require(golden.temperature))
            try expect(loss, of: leaves, equals: golden)
        }
    }

    @Test("Proxy-Anchor and its gradients equal pytorch-metric-learning's")
    func proxyAnchor() throws {
        for golden in try Golden.all.get().proxyAnchor {
            let (features, labels, weight, leaves) = try classified(golden)
            let loss = try ProxyAnchor.loss(
                features, labels: labels, proxies: weight, margin: #require(golden.margin), scale: #require(golden.scale))
            try expect(loss, of: leaves, equals: golden)
        }
    }

    @Test("triplets and their gradients equal pytorch-metric-learning's miners and loss")
    func triplet() throws {
        for golden in try Golden.all.get().triplet {
            let leaf = try golden.leaf("embeddings")
            let labels = try #require(golden.labels)
            let mining = try #require(golden.mining.flatMap { Triplet.Mining(rawValue: $0) })
            let margin: Triplet.Margin = golden.margin.map { .hard($0) } ?? .soft
            let vectors = try leaf.normalized()
            let distances = try (vectors.matmul(vectors.transposed()) * -2 + 2).clamped(0...4).sqrt().floats()
            #expect(
                Triplet.mine(
                    distances, labels: labels, anchors: labels.count, mining: mining, margin: margin
                ).count == golden.triplets)
            let loss = try #require(try Triplet.loss(vectors, labels: labels, mining: mining, margin: margin))
            try expect(loss, of: ["embeddings": leaf], equals: golden)
        }
    }
}

@Suite("Losses over more than a batch against pytorch-metric-learning and torch")
struct WideLossReferenceTests {
    @Test("SupCon and triplets with a memory, and their gradients")
    func memories() throws {
        for golden in try Golden.all.get().supConMemory {
            let leaf = try golden.leaf("embeddings")
            let loss = try SupCon.loss(
                leaf.normalized(), labels: #require(golden.labels), temperature: #require(golden.temperature),
                others: (golden.leaf("memory"), #require(golden.memoryLabels)))
            try expect(loss, of: ["embeddings": leaf], equals: golden)
        }
        for golden in try Golden.all.get().tripletMemory {
            let leaf = try golden.leaf("embeddings")
            let (labels, margin) = (try #require(golden.labels), try #require(golden.margin))
            let others = (vectors: try golden.leaf("memory"), labels: try #require(golden.memoryLabels))
            let loss = try Triplet.loss(
                leaf.normalized(), labels: labels, mining: .batchHard, margin: .hard(margin), others: others)
            try expect(#require(loss), of: ["embeddings": leaf], equals: golden)
        }
    }

    @Test("the contrast with a teacher, prototypes of texts and the distance of weights, and their gradients")
    func others() throws {
        for golden in try Golden.all.get().teacherContrast {
            let student = try golden.leaf("student")
            let loss = try TeacherContrast.loss(
                predicted: student, teacher: golden.leaf("teacher"), items: #require(golden.labels),
                temperature: #require(golden.temperature))
            try expect(loss, of: ["student": student], equals: golden)
        }
        for golden in try Golden.all.get().textPrototypes {
            let images = try golden.leaf("images")
            let loss = try TextPrototypes.loss(
                images: images.normalized(), prototypes: golden.leaf("prototypes"), rows: #require(golden.labels),
                scale: Tensor(Float(#require(golden.scale))), smoothing: #require(golden.smoothing))
            try expect(loss, of: ["images": images], equals: golden)
        }
        for golden in try Golden.all.get().weightDrift {
            let now = try golden.leaf("now")
            let start = try golden.leaf("start")
            let loss = try WeightDrift.loss([(now: now, start: start)])
            try expect(#require(loss), of: ["now": now], equals: golden)
        }
    }
}

@Suite("Floors and edges of the losses")
struct LossTests {
    /// Class c stands at the axis c: equal within a class, at right angles between classes.
    private func perfect(classes: Int, members: Int) throws -> (Tensor, [Int]) {
        let labels = (0..<classes * members).map { $0 / members }
        let values = labels.flatMap { label in (0..<classes).map { Float($0 == label ? 1 : 0) } }
        return (try Tensor(values, shape: [labels.count, classes]), labels)
    }

    @Test("SupCon with n members a class and perfect vectors has its floor at ln(n − 1)", arguments: [2, 3, 5, 9])
    func supConFloor(members: Int) throws {
        let (vectors, labels) = try perfect(classes: 4, members: members)
        // At a low temperature what other classes add to the denominator is below single precision.
        let loss = try SupCon.loss(vectors, labels: labels, temperature: 0.02).item()
        #expect(abs(loss - log(Double(members - 1))) < 1e-5)
    }

    @Test("InfoNCE at chance is ln n", arguments: [2, 7, 64])
    func infoNCEChance(n: Int) throws {
        let images = try Tensor((0..<n).flatMap { _ in [Float(1), 0] }, shape: [n, 2])
        let texts = try Tensor((0..<n).flatMap { _ in [Float(0.6), 0.8] }, shape: [n, 2])
        let loss = try InfoNCE.loss(images: images, texts: texts, captions: Array(0..<n), logitScale: Tensor(2.6592))
        #expect(abs(try loss.item() - log(Double(n))) < 1e-5)
    }

    @Test("equal captions share the target: of two rows with one caption, perfect vectors stop at ln 2")
    func infoNCEFloor() throws {
        let (vectors, captions) = try perfect(classes: 3, members: 2)
        let loss = try InfoNCE.loss(images: vectors, texts: vectors, captions: captions, logitScale: Tensor(4.6)).item()
        #expect(abs(loss - log(2)) < 1e-5)
        let distinct = try InfoNCE.loss(
            images: vectors, texts: vectors, captions: Array(0..<6), logitScale: Tensor(4.6)
        ).item()
        #expect(abs(distinct - log(2)) < 1e-5, "the floor of false negatives is the same, but asks the impossible")
    }

    @Test("an anchor without positives does not change the mean")
    func lonelyAnchor() throws {
        // The lonely vector is opposite to all: as a negative it adds e^(-1/0.05) to each denominator, below single precision.
        let pair = [Float](arrayLiteral: 1, 0, 0.8, 0.6)
        let without = try SupCon.loss(Tensor(pair, shape: [2, 2]), labels: [0, 0], temperature: 0.05).item()
        let with = try SupCon.loss(Tensor(pair + [-1, 0], shape: [3, 2]), labels: [0, 0, 1], temperature: 0.05).item()
        #expect(abs(with - without) < 1e-6)
        // And where it is near, the mean is still over two anchors.
        let near = try SupCon.loss(Tensor(pair + [1, 0], shape: [3, 2]), labels: [0, 0, 1], temperature: 1).item()
        // Anchor and positive have the cosine 0.8; the third vector is the first one again.
        let first = log(exp(0.8) + exp(1.0)) - 0.8
        let second = log(exp(0.8) + exp(0.8)) - 0.8
        let expected = (first + second) / 2
        #expect(abs(near - expected) < 1e-6)
    }

    @Test("with no anchor left SupCon is 0 and carries no gradient")
    func noAnchor() throws {
        let leaf = try Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
        try leaf.setRequiresGradient(true)
        let loss = try SupCon.loss(leaf.normalized(), labels: [0, 1], temperature: 0.1)
        #expect(try loss.item() == 0)
        #expect(!loss.requiresGradient)
        #expect(try leaf.gradient() == nil)
    }

    @Test("a student like its teacher has no loss, an opposite one the greatest")
    func teacher() throws {
        let vectors = try Tensor([1, 0, 0.6, 0.8, 0, 1] as [Float], shape: [3, 2])
        #expect(abs(try TeacherRegression.loss(predicted: vectors * 3, teacher: vectors).item()) < 1e-6)
        #expect(abs(try TeacherRegression.loss(predicted: vectors * -2, teacher: vectors).item() - 2) < 1e-6)
        #expect(abs(try TeacherRelations.loss(student: vectors, teacher: vectors).item()) < 1e-6)
        #expect(abs(try TeacherRelations.loss(student: vectors * -1, teacher: vectors).item()) < 1e-6)
    }

    @Test("ArcFace without a margin is normalised softmax, and a margin only makes it harder")
    func arcFaceWithoutMargin() throws {
        let vectors = try Tensor([1, 0, 0.6, 0.8, 0, 1] as [Float], shape: [3, 2])
        let weight = try Tensor([1, 0.2, -0.3, 1, 0.5, -1] as [Float], shape: [3, 2])
        func arcFace(_ margin: Double) throws -> Double {
            try ArcFace.loss(vectors, labels: [0, 1, 2], weight: weight, margin: margin, scale: 8).item()
        }
        let plain = try NormalizedSoftmax.loss(vectors, labels: [0, 1, 2], weight: weight, temperature: 0.125).item()
        #expect(abs(try arcFace(0) - plain) < 1e-5)
        let rising = try [0, 0.1, 0.3, 0.7, 1.5].map(arcFace)
        #expect(zip(rising, rising.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("ArcFace at the very direction of its class, and opposite to it, has finite gradients", arguments: [1, -1] as [Float])
    func arcFaceEdges(direction: Float) throws {
        let leaf = try Tensor([direction, 0], shape: [1, 2])
        try leaf.setRequiresGradient(true)
        let weight = try Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
        try ArcFace.loss(leaf, labels: [0], weight: weight, margin: 0.5, scale: 64).backward()
        #expect(try #require(try leaf.gradient()).floats().allSatisfy(\.isFinite))
    }

    @Test("cross-entropy at chance is ln C, smoothed or not", arguments: [0, 0.1, 0.5])
    func crossEntropyChance(smoothing: Double) throws {
        let features = try Tensor([0, 0, 0, 0] as [Float], shape: [2, 2])
        let weight = try Tensor((0..<10).map { Float($0) }, shape: [5, 2])
        let loss = try CrossEntropy.loss(features, labels: [0, 4], weight: weight, smoothing: smoothing).item()
        #expect(abs(loss - log(5)) < 1e-6)
    }

    @Test("batch-hard takes the farthest positive and the nearest negative of a hand-made set")
    func batchHard() throws {
        // Four points on a line, at 0, 1, 3 and 4: distances are differences. Classes {0, 1, 4} and {3}.
        let places: [Float] = [0, 1, 3, 4]
        let distances = places.flatMap { a in places.map { abs(a - $0) } }
        let triplets = Triplet.mine(distances, labels: [7, 7, 8, 7], anchors: 4, mining: .batchHard, margin: .hard(0.2))
        #expect(triplets.map(\.anchor) == [0, 1, 3], "the third has no positive")
        #expect(triplets.map(\.positive) == [3, 3, 0])
        #expect(triplets.map(\.negative) == [2, 2, 2])
        let semi = Triplet.mine(distances, labels: [7, 7, 8, 7], anchors: 4, mining: .semiHard, margin: .hard(2))
        // Only from 0 and 1 to each other: the negative at 3 is 3 − 1 = 2 and 2 − 1 = 1 farther than the positive.
        #expect(semi.map(\.anchor) == [0, 1] && semi.map(\.positive) == [1, 0] && semi.map(\.negative) == [2, 2])
    }

    @Test("triplets that nobody can make cost nothing, and equal vectors have finite gradients")
    func tripletEdges() throws {
        let vectors = try Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
        #expect(try Triplet.loss(vectors, labels: [0, 1], mining: .batchHard, margin: .soft) == nil)
        #expect(try Triplet.loss(vectors, labels: [0, 0], mining: .batchHard, margin: .soft) == nil)
        let leaf = try Tensor([1, 0, 1, 0, 0, 1] as [Float], shape: [3, 2])
        try leaf.setRequiresGradient(true)
        let loss = try #require(
            try Triplet.loss(leaf.normalized(), labels: [0, 0, 1], mining: .batchHard, margin: .hard(2)))
        try loss.backward()
        #expect(try #require(try leaf.gradient()).floats().allSatisfy(\.isFinite))
    }
}

@Suite("Schedules")
struct ScheduleTests {
    @Test("ten steps with three of warm-up, by hand")
    func table() {
        // final + (1 − final) · (1 + cos(π k/7)) / 2 for k = 0…6, cosines of sevenths of a half turn to 12 digits.
        let cosines = [1, 0.900968867902, 0.623489801859, 0.222520933956, -0.222520933956, -0.623489801859, -0.900968867902]
        let expected = [1.0 / 3, 2.0 / 3, 1] + cosines.map { 0.1 + 0.9 * (1 + $0) / 2 }
        let schedule = WarmupCosine(warmup: 3, final: 0.1)
        for (step, factor) in expected.enumerated() {
            #expect(abs(schedule.factor(step: step, of: 10) - factor) < 1e-11, "step \(step)")
        }
    }

    @Test("the peak is reached at the end of the warm-up and never exceeded; the last steps fall towards the final factor")
    func shape() {
        let schedule = WarmupCosine(warmup: 80, final: 0.01)
        let factors = (0..<1000).map { schedule.factor(step: $0, of: 1000) }
        #expect(factors.first == 1.0 / 80)
        #expect(factors[79] == 1 && factors[80] == 1 && factors.max() == 1)
        #expect(zip(factors[80...], factors[81...]).allSatisfy { $0 > $1 })
        #expect(factors[999] > 0.01 && factors[999] < 0.0101)
        #expect(schedule.factor(step: 1000, of: 1000) == 0.01 && schedule.factor(step: 5000, of: 1000) == 0.01)
    }

    @Test("no warm-up begins at the peak, and a run that is all warm-up ends there")
    func edges() {
        #expect(WarmupCosine(warmup: 0).factor(step: 0, of: 5) == 1)
        #expect(WarmupCosine(warmup: 5).factor(step: 4, of: 5) == 1)
        #expect(WarmupCosine(warmup: 9).factor(step: 4, of: 5) == 5.0 / 9)
    }

    @Test("one cycle has the rates of torch's OneCycleLR")
    func oneCycle() throws {
        for table in try Golden.all.get().oneCycle {
            let schedule = OneCycle(rise: table.rise, first: table.first, final: table.final)
            for (step, factor) in table.factors.enumerated() {
                #expect(abs(schedule.factor(step: step, of: table.steps) - factor) < 1e-12, "step \(step)")
            }
        }
    }

    @Test("one cycle of a single step, or one that only rises or falls, stays within its factors", arguments: [0, 0.3, 1])
    func shortCycles(rise: Double) {
        for steps in 1...4 {
            for step in 0..<steps {
                #expect((0.000004...1).contains(OneCycle(rise: rise).factor(step: step, of: steps)), "\(step) of \(steps)")
            }
        }
    }

    @Test("steps down have the rates of torch's MultiStepLR, and a warm-up before them")
    func stepDecay() throws {
        for table in try Golden.all.get().stepDecay {
            let schedule = StepDecay(at: table.at, drop: table.drop)
            for (step, factor) in table.factors.enumerated() {
                #expect(abs(schedule.factor(step: step, of: table.steps) - factor) < 1e-12, "step \(step)")
            }
        }
        let warm = StepDecay(warmup: 4, at: [6], drop: 0.5)
        #expect((0..<8).map { warm.factor(step: $0, of: 8) } == [0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5])
    }

    @Test("a constant rate is one, after its warm-up")
    func constant() {
        let schedule = ConstantRate(warmup: 2)
        #expect((0..<5).map { schedule.factor(step: $0, of: 5) } == [0.5, 1, 1, 1, 1])
    }
}
