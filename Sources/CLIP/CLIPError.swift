/// Why a model folder, a text or a picture could not be used.
public enum CLIPError: Error, Equatable, Sendable {
    case noModel(path: String)
    case unknownFolder(path: String)
    /// A folder around the one that holds a model, and that one, or a file.
    case modelLies(inside: String, at: String)
    /// A LoRA adapter and the model that it changes.
    case adapter(path: String, base: String?)
    /// Two models whose weights can't be mixed, and why.
    case unmixable(_ first: String, _ second: String, because: String)
    case unreadable(path: String, reason: String)
    case notJSON(path: String, reason: String)
    case missingKey(path: String, key: String)
    case wrongValue(path: String, key: String, found: String, expected: String)
    case contradiction(path: String, what: String)
    case notANumber(path: String, tensor: String)
    /// Tensors, but no CLIP's: the first names and how many there are.
    case notCLIP(path: String, names: String, count: Int)
    case oneTower(path: String, has: String, lacks: String)
    /// A tensor from whose shape the model's sizes follow.
    case missingTensor(path: String, tensor: String)
    /// Nothing in the file says which activation its weights were made with.
    case unknownActivation(path: String)
    /// A file holds an image tower of timm's, which needs more than its weights to be known.
    case unknownTower(path: String)
    case noTokenizer(path: String)
    /// 8-bit products were asked for on a GPU.
    case int8NeedsCPU
    case noWrite(path: String, reason: String)
}

extension CLIPError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noModel(let path):
            "There is no model at \(path); name a model folder, a training run, or one of `stylefinder models list`."
        case .unknownFolder(let path):
            "\(path) is not a model folder: it needs config.json with model.safetensors (Hugging Face) "
                + "or open_clip_config.json with open_clip_model.safetensors (open_clip); a checkpoint without them is named as a file."
        case .modelLies(let path, let place): "\(path) is not the model's own folder: the model lies in \(place); name that."
        case .adapter(let path, let base):
            "\(path) holds an adapter, which only changes \(base.map { "the weights of \($0)" } ?? "another model's weights"): merge it into "
                + "its base first (in Python, model.merge_and_unload() and save_pretrained) and name the folder that this writes."
        case .unmixable(let first, let second, let reason):
            "The weights of \(first) and \(second) can't be mixed: \(reason); expected two models of one architecture and preprocessing."
        case .unreadable(let path, let reason): "\(path) can't be read: \(reason)."
        case .notJSON(let path, let reason): "\(path) is not a JSON object: \(reason)."
        case .missingKey(let path, let key): "\(path) has no key \(key)."
        case .wrongValue(let path, let key, let found, let expected): "\(path): \(key) is \(found), expected \(expected)."
        case .contradiction(let path, let what): "\(path) contradicts its weights: \(what)."
        case .notANumber(let path, let tensor): "\(path): the tensor \(tensor) holds values that are not finite."
        case .notCLIP(let path, let names, let count):
            "\(path) holds no CLIP: its \(count) tensors are called \(names)…, and none begins as an image tower's."
        case .oneTower(let path, let has, let lacks):
            "\(path) holds the \(has) tower alone; expected a whole model, with its \(lacks) tower."
        case .missingTensor(let path, let tensor):
            "\(path) has no tensor \(tensor), from whose shape the model's sizes follow."
        case .unknownActivation(let path):
            "\(path) does not say which activation its model was made with; name it once with `stylefinder models convert \(path) "
                + "--activation quick_gelu` (OpenAI's models and what was trained from them) or `gelu` (laion's, DataComp's, Marqo's), --out "
                + "a folder."
        case .unknownTower(let path):
            "\(path) holds an image tower of timm's and says neither which one nor how its pictures are prepared; put it beside its "
                + "open_clip_config.json as open_clip_model.safetensors (or open_clip_pytorch_model.bin) and name the folder."
        case .noTokenizer(let path):
            "The model in \(path) has no tokenizer, so it takes no text: put its vocab.json and merges.txt, its tokenizer.json, its "
                + "spiece.model or OpenAI's bpe_simple_vocab_16e6.txt.gz beside the weights."
        case .int8NeedsCPU: "int8 is a form for the CPU; on a GPU choose float32 or bfloat16."
        case .noWrite(let path, let reason): "\(path) can't be written: \(reason)."
        }
    }
}
