/// A value of a PyTorch checkpoint, as far as it is data.
///
/// The tree is finite, at most `PickleLimits.depth` deep, and has at most `PickleLimits.values` values even where the file shares
/// them: walking it is always affordable.
public enum CheckpointValue: Sendable, Equatable {
    /// `dict`, `OrderedDict`, `argparse.Namespace`, an object of a TorchScript archive, or the state of a pickled module: its
    /// parameters, its persistent buffers and its submodules, each under its name.
    case dictionary(CheckpointDictionary)
    /// `list`, `tuple`, `set` (in the file's order), `torch.Size`.
    case list([CheckpointValue])
    /// `str`; also a `torch.dtype` or `torch.device`, as Python prints it.
    case text(String)
    case bytes([UInt8])
    case integer(Int)
    case number(Double)
    case truth(Bool)
    case none
    case tensor(CheckpointTensor)
    /// Something that is named here and no more: an object of another class, a bare storage, a function that is only mentioned,
    /// an integer beyond 64 bits, a dictionary whose keys are neither texts nor integers.
    case opaque(String)

    /// The value under `key` of a dictionary; nil for any other value.
    public subscript(key: String) -> CheckpointValue? { dictionary?[.text(key)] }

    public var dictionary: CheckpointDictionary? {
        if case .dictionary(let dictionary) = self { dictionary } else { nil }
    }

    public var list: [CheckpointValue]? {
        if case .list(let values) = self { values } else { nil }
    }

    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    public var integer: Int? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    /// A number or an integer.
    public var number: Double? {
        switch self {
        case .number(let number): number
        case .integer(let integer): Double(integer)
        default: nil
        }
    }

    public var tensor: CheckpointTensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// How a value is named in an error.
    package var summary: String {
        switch self {
        case .dictionary(let dictionary): "a dictionary of \(dictionary.entries.count)"
        case .list(let values): "a list of \(values.count)"
        case .text(let text): "\"\(text.prefix(60))\""
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .truth(let truth): truth ? "True" : "False"
        case .none: "None"
        case .tensor(let tensor): "a tensor \(tensor.shape)"
        case .opaque(let name): "an object of `\(name.prefix(60))`"
        }
    }
}

/// A dictionary of a checkpoint, in the order in which its keys were first set.
public struct CheckpointDictionary: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public enum Key: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible {
        case text(String)
        case integer(Int)

        public init(stringLiteral text: String) { self = .text(text) }
        public init(integerLiteral integer: Int) { self = .integer(integer) }

        public var description: String {
            switch self {
            case .text(let text): text
            case .integer(let integer): "\(integer)"
            }
        }
    }

    public struct Entry: Sendable, Equatable {
        public let key: Key
        public fileprivate(set) var value: CheckpointValue
    }

    public private(set) var entries: [Entry] = []
    private var places: [Key: Int] = [:]

    public init() {}

    /// A key that stands twice keeps its last value.
    public init(dictionaryLiteral elements: (Key, CheckpointValue)...) {
        for (key, value) in elements { self[key] = value }
    }

    /// Setting nil is without effect: nothing here has a use for taking a key away.
    public subscript(key: Key) -> CheckpointValue? {
        get { places[key].map { entries[$0].value } }
        set {
            guard let newValue else { return }
            if let place = places[key] {
                entries[place].value = newValue
            } else {
                places[key] = entries.count
                entries.append(Entry(key: key, value: newValue))
            }
        }
    }

    /// The key as it was written where it equals `key`; texts equal one another regardless of Unicode normalisation.
    func stored(_ key: Key) -> Key? { places[key].map { entries[$0].key } }
}

extension CheckpointValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral integer: Int) { self = .integer(integer) }
    public init(floatLiteral number: Double) { self = .number(number) }
    public init(booleanLiteral truth: Bool) { self = .truth(truth) }
}
