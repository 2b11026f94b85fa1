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

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws { try heads.addTeacherMap(setting) }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        guard let teacher = batch.teacher else { return nil }
        let images = try batch.taught(by: teacher)
        return try Self.loss(predicted: heads.carried(images), teacher: teacher.vectors)
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

extension HeadScope {
    /// The linear map from the student's space to the teacher's. Without a teacher no batch has its vectors, and there is none.
    func addTeacherMap(_ setting: LossSetting) throws {
        guard setting.teacher > 0 else { return }
        try addNormal(
            "head", shape: [setting.teacher, setting.embedding], deviation: 1 / Double(setting.embedding).squareRoot())
    }

    /// `images` `[n, d]` in the teacher's space, `[n, t]`.
    func carried(_ images: Tensor) throws -> Tensor { try images.linear(tensor("head", prefix: images.size(1))) }
}
