public import Torch

/// Learning from the vectors of another model.
public enum Teacher {
    /// Mean of 1 − cos between the student's vectors, carried into the teacher's space, and the teacher's.
    /// - Parameters: predicted `[n, t]`, any length; teacher `[n, t]`, L2-normalised.
    /// - Returns: a scalar in 0…2.
    public static func regression(predicted: Tensor, teacher: Tensor) throws -> Tensor {
        try -(predicted.normalized() * teacher).sum([1]).mean() + 1
    }

    /// Similarity-preserving distillation after Tung & Mori 2019 (arXiv:1907.09682), on cosine matrices: the mean squared difference between
    /// the similarities of the student's vectors and the teacher's, off the diagonal.
    /// - Parameters: student `[n, d]`, teacher `[n, t]`, both L2-normalised, n ≥ 2.
    public static func relations(student: Tensor, teacher: Tensor) throws -> Tensor {
        let n = student.size(0)
        let difference = try student.matmul(student.transposed()) - teacher.matmul(teacher.transposed())
        return try (difference * difference).sum() / Double(n * (n - 1))
    }
}
