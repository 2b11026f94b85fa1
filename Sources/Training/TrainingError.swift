/// Why a training run can't begin, go on or be kept.
public enum TrainingError: Error, Equatable, Sendable {
    case unreadableRecipe(path: String, reason: String)
    case unknownKey(path: String, key: String, known: [String])
    case missingKey(path: String, key: String)
    case wrongValue(path: String, key: String, found: String, expected: String)
    case nothingToTrainOn(what: String)
    case noTeacher(path: String, image: String)
    case teachers(what: String)
    case runExists(path: String)
    case nothingToResume(path: String)
    /// A key of the recipe with the value that the run was begun with and the one that is given now.
    case otherRecipe(path: String, key: String, begun: String, given: String)
    /// Steps count from 1, as in the run's metrics; `what` is the loss or the gradient's length.
    case notFinite(step: Int, what: String, value: Double)
    /// More photos than a run bears; `last` says what was wrong with the latest.
    case unreadablePhotos(count: Int, of: Int, last: String)
    /// Views of another side than the one that the model's tower is made for.
    case unfitViews(side: Int, own: Int)
    case unreadableNegatives(path: String, line: Int?, reason: String)
    case noWrite(path: String, reason: String)
    case unreadableRun(path: String, reason: String)
}

extension TrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadableRecipe(let path, let reason): "The recipe \(path) can't be read: \(reason)."
        case .unknownKey(let path, let key, let known):
            "The recipe \(path) has the unknown key \(key); known here: \(known.sorted().joined(separator: ", "))."
        case .missingKey(let path, let key): "The recipe \(path) lacks the key \(key)."
        case .wrongValue(let path, let key, let found, let expected):
            "The recipe \(path): \(key) is \(found), expected \(expected)."
        case .nothingToTrainOn(let what): "There is nothing to train on: \(what)."
        case .noTeacher(let path, let image): "The teacher's file \(path) has no vector for \(image)."
        case .teachers(let what): "The teacher's files do not fit: \(what)."
        case .runExists(let path): "\(path) already holds a run; continue it with --resume or choose another folder."
        case .nothingToResume(let path): "\(path) holds no checkpoint to resume from; start the run without --resume."
        case .otherRecipe(let path, let key, let begun, let given):
            "The run in \(path) was begun with another recipe: there \(key) is \(begun), here \(given); resume it with that one (\(path)/recipe.json) or choose another folder."
        case .notFinite(let step, let what, let value):
            "The \(what) became \(value) at step \(step), so training stopped before the weights changed; lower the rate or clip the gradients."
        case .unreadablePhotos(let count, let total, let last):
            "\(count) of \(total) photos can't be read, and a run ends above 1 %: \(last) Mend the data and go on with --resume."
        case .unfitViews(let side, let own):
            "augmentation.side is \(side) and the model takes pictures of \(own) pixels alone; towers of timm take any size."
        case .unreadableNegatives(let path, let line, let reason):
            "The file of hard negatives \(path)\(line.map { ", line \($0)," } ?? "") can't be read: \(reason)."
        case .noWrite(let path, let reason): "\(path) can't be written: \(reason)."
        case .unreadableRun(let path, let reason): "The run in \(path) can't be read: \(reason)."
        }
    }
}
