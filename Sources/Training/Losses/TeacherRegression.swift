public import Torch

/// Learning another model's vectors: the student's, carried into the teacher's space by a linear map that is trained along, are to point the
/// same way.
public struct TeacherRegression: LossTerm {
    /// Mean of 1 − cos between the student's vectors, carried into the teacher's space, and the teacher's.
    /// - Parameters: predicted `[n, t]`, any length; teacher `[n, t]`, L2-normalised.
    /// - Returns: a scalar in 0…2.
    public static func loss(predicted: Tensor, teacher: Tensor) throws -> Tensor {
        try -(predicted.normalized() * teacher).sum([1]).mean() + 1
    }
}

extension TeacherRegression {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init()
        try form.onlyImages()
    }

    var needsTeacher: Bool { true }
    var ownsTensors: Bool { true }

    func addTensors(to heads: HeadScope, _ sizes: LossSizes) throws {
        // Without a teacher no batch has its vectors, and the map would never be used.
        guard sizes.teacher > 0 else { return }
        try heads.addNormal(
            "head", shape: [sizes.teacher, sizes.embedding], deviation: 1 / Double(sizes.embedding).squareRoot())
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        guard let teacher = batch.teacher else { return nil }
        let images = try batch.taught(by: teacher)
        return try Self.loss(predicted: images.linear(heads.tensor("head")), teacher: teacher.vectors)
    }
}

extension RecipeForm {
    private enum OnlyImages: String, CaseIterable { case image }

    func onlyImages() throws(TrainingError) { try onlySide(OnlyImages.image) }
}

extension LossBatch {
    /// The student's vectors of the views that the teacher saw.
    func taught(by teacher: Teacher) throws -> Tensor {
        teacher.views.count == items.count ? images : try Self.rows(teacher.views, of: images)
    }
}
