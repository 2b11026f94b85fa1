public import Torch

/// Learning which pictures another model finds alike: similarity-preserving distillation after Tung & Mori 2019 (arXiv:1907.09682), on
/// cosine matrices.
public struct TeacherRelations: LossTerm {
    /// The mean squared difference between the similarities of the student's vectors and the teacher's, off the diagonal.
    /// - Parameters: student `[n, d]`, teacher `[n, t]`, both L2-normalised, n ≥ 2.
    public static func loss(student: Tensor, teacher: Tensor) throws -> Tensor {
        let n = student.size(0)
        let difference = try student.matmul(student.transposed()) - teacher.matmul(teacher.transposed())
        return try (difference * difference).sum() / Double(n * (n - 1))
    }
}

extension TeacherRelations {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init()
        try form.onlyImages()
    }

    var needsTeacher: Bool { true }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        guard let teacher = batch.teacher else { return nil }
        return try Self.loss(student: batch.taught(by: teacher), teacher: teacher.vectors)
    }
}
