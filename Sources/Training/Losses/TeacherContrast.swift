public import Torch

/// Learning to find the teacher's vector of each picture among the teacher's vectors of the others: InfoNCE from student to teacher, the
/// contrastive distillation of Tian et al. 2020 (arXiv:1910.10699) with the batch as its negatives.
public struct TeacherContrast: LossTerm {
    /// Above 0 (τ).
    public var temperature: Double

    /// Views of one photo share their target: the teacher sees no difference that the student should learn.
    /// - Parameters: predicted `[n, t]`, the student's vectors in the teacher's space, any length; teacher `[n, t]`, L2-normalised; items `[n]`.
    /// - Returns: a scalar, the mean over the rows of −Σⱼ yᵢⱼ log softmaxⱼ(sᵢ·tⱼ/τ) with yᵢⱼ equal shares of the row's own item.
    public static func loss(predicted: Tensor, teacher: Tensor, items: [Int], temperature: Double) throws -> Tensor {
        let n = items.count
        let places = Dictionary(grouping: items.indices, by: { items[$0] })
        var target = [Float](repeating: 0, count: n * n)
        for row in 0..<n {
            let own = places[items[row]] ?? []
            for column in own { target[row * n + column] = 1 / Float(own.count) }
        }
        let logits = try predicted.normalized().matmul(teacher.transposed()) / temperature
        return try -(Tensor(target, shape: [n, n]).to(logits.device) * logits.logSoftmax(1)).sum() / Double(n)
    }
}

extension TeacherContrast {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(temperature: try form.number("temperature", value?.temperature, in: 0.001...10, default: 0.07))
        try form.onlyImages()
    }

    var needsTeacher: Bool { true }
    var ownsTensors: Bool { true }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws { try heads.addTeacherMap(setting) }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        guard let teacher = batch.teacher else { return nil }
        return try Self.loss(
            predicted: heads.carried(batch.taught(by: teacher)), teacher: teacher.vectors,
            items: teacher.views.map { batch.items[$0] },
            temperature: temperature)
    }
}
