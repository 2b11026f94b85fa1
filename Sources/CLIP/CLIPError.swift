/// Why a model folder, a text or a picture could not be used.
public enum CLIPError: Error, Equatable, Sendable {
    case noModelFolder(path: String)
    case unknownFolder(path: String)
    case unreadable(path: String, reason: String)
    case notJSON(path: String, reason: String)
    case missingKey(path: String, key: String)
    case wrongValue(path: String, key: String, found: String, expected: String)
    case contradiction(path: String, what: String)
    case notANumber(path: String, tensor: String)
    case noTokenizer(path: String)
    case noWrite(path: String, reason: String)
}

extension CLIPError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noModelFolder(let path):
            "There is no model at \(path); name a model folder, a training run, or one of `stylefinder models list`."
        case .unknownFolder(let path):
            "\(path) is not a model folder: it needs config.json with model.safetensors (Hugging Face) "
                + "or open_clip_config.json with open_clip_model.safetensors (open_clip)."
        case .unreadable(let path, let reason): "\(path) can't be read: \(reason)."
        case .notJSON(let path, let reason): "\(path) is not a JSON object: \(reason)."
        case .missingKey(let path, let key): "\(path) has no key \(key)."
        case .wrongValue(let path, let key, let found, let expected): "\(path): \(key) is \(found), expected \(expected)."
        case .contradiction(let path, let what): "\(path) contradicts its weights: \(what)."
        case .notANumber(let path, let tensor): "\(path): the tensor \(tensor) holds values that are not finite."
        case .noTokenizer(let path):
            "The model in \(path) has no tokenizer, so it takes no text: put its vocab.json and merges.txt into the folder."
        case .noWrite(let path, let reason): "\(path) can't be written: \(reason)."
        }
    }
}
