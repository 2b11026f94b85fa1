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
        let temperature: Double?

        var testDescription: String { name }

        func leaf(_ name: String) throws -> Tensor {
            let tensor = try Tensor(#require(inputs[name]), shape: #require(shapes[name]))
            try tensor.setRequiresGradient(gradients[name] != nil)
            return tensor
        }
    }
    let infoNce: [Case]
    let supCon: [Case]
    let teacher: [Case]

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
                ? Teacher.regression(predicted: student, teacher: teacher)
                : Teacher.relations(student: student.normalized(), teacher: teacher)
            try expect(loss, of: ["student": student], equals: golden)
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
        #expect(abs(try Teacher.regression(predicted: vectors * 3, teacher: vectors).item()) < 1e-6)
        #expect(abs(try Teacher.regression(predicted: vectors * -2, teacher: vectors).item() - 2) < 1e-6)
        #expect(abs(try Teacher.relations(student: vectors, teacher: vectors).item()) < 1e-6)
        #expect(abs(try Teacher.relations(student: vectors * -1, teacher: vectors).item()) < 1e-6)
    }
}

@Suite("WarmupCosine")
struct WarmupCosineTests {
    @Test("ten steps with three of warm-up, by hand")
    func table() {
        // final + (1 − final) · (1 + cos(π k/7)) / 2 for k = 0…6, cosines of sevenths of a half turn to 12 digits.
        let cosines = [1, 0.900968867902, 0.623489801859, 0.222520933956, -0.222520933956, -0.623489801859, -0.900968867902]
        let expected = [1.0 / 3, 2.0 / 3, 1] + cosines.map { 0.1 + 0.9 * (1 + $0) / 2 }
        let schedule = WarmupCosine(warmup: 3, total: 10, final: 0.1)
        for (step, factor) in expected.enumerated() {
            #expect(abs(schedule.factor(step: step) - factor) < 1e-11, "step \(step)")
        }
    }

    @Test("the peak is reached at the end of the warm-up and never exceeded; the last steps fall towards the final factor")
    func shape() {
        let schedule = WarmupCosine(warmup: 80, total: 1000, final: 0.01)
        let factors = (0..<1000).map(schedule.factor)
        #expect(factors.first == 1.0 / 80)
        #expect(factors[79] == 1 && factors[80] == 1 && factors.max() == 1)
        #expect(zip(factors[80...], factors[81...]).allSatisfy { $0 > $1 })
        #expect(factors[999] > 0.01 && factors[999] < 0.0101)
        #expect(schedule.factor(step: 1000) == 0.01 && schedule.factor(step: 5000) == 0.01)
    }

    @Test("no warm-up begins at the peak, and a run that is all warm-up ends there")
    func edges() {
        #expect(WarmupCosine(warmup: 0, total: 5).factor(step: 0) == 1)
        #expect(WarmupCosine(warmup: 5, total: 5).factor(step: 4) == 1)
        #expect(WarmupCosine(warmup: 9, total: 5).factor(step: 4) == 5.0 / 9)
    }
}
