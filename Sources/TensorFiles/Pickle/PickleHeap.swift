/// A value on the machine's stack. What Python shares by reference is a place in the heap.
enum PickleSlot {
    case none
    case truth(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case node(Int)
}

/// A value that others may refer to and that may still grow. Nodes name one another by number and own nothing: a cycle costs no
/// memory, and a chain of a million lists is released without recursion.
struct PickleNode {
    enum Kind {
        case list
        case tuple
        case set
        /// Keys and values alternate in `items`; a key may repeat, the last one counts.
        case dictionary
        case bytes([UInt8])
        /// A class or function that was named and not called.
        case global(String)
        case storage(PickledStorage)
        case tensor(CheckpointTensor)
        /// An object of a class; its state, once it is known, is the only item.
        case object(String)
        /// What was recognised and is of no further interest.
        case opaque(String)
    }

    let kind: Kind
    var items: [PickleSlot] = []
}

/// Every node of one pickle, and the account of what it has asked for so far.
struct PickleHeap {
    let path: String
    private(set) var nodes: [PickleNode] = []
    private var values = 0
    private var bytes = 0

    init(path: String) {
        self.path = path
    }

    /// Books values about to be pushed or copied.
    mutating func charge(values count: Int) throws(TensorFileError) {
        values += count
        guard values <= PickleLimits.values else {
            throw .excessive(path: path, what: "\(values) values in its pickle", limit: PickleLimits.values)
        }
    }

    /// Books text or bytes about to be made.
    mutating func charge(bytes count: Int) throws(TensorFileError) {
        bytes += count
        guard bytes <= PickleLimits.bytes else {
            throw .excessive(path: path, what: "\(bytes) bytes of text in its pickle", limit: PickleLimits.bytes)
        }
    }

    mutating func add(_ kind: PickleNode.Kind, _ items: [PickleSlot] = []) throws(TensorFileError) -> PickleSlot {
        try charge(values: items.count)
        nodes.append(PickleNode(kind: kind, items: items))
        return .node(nodes.count - 1)
    }

    func node(_ slot: PickleSlot) -> PickleNode? {
        if case .node(let index) = slot { nodes[index] } else { nil }
    }

    mutating func extend(_ index: Int, with items: some Sequence<PickleSlot>) {
        nodes[index].items.append(contentsOf: items)
    }

    mutating func setState(_ index: Int, to state: PickleSlot) {
        nodes[index].items = [state]
    }

    /// The items of a tuple or list; nil for anything else.
    func sequence(_ slot: PickleSlot) -> [PickleSlot]? {
        guard let node = node(slot) else { return nil }
        switch node.kind {
        case .tuple, .list: return node.items
        default: return nil
        }
    }

    /// The name of a class or function; nil for anything else.
    func name(_ slot: PickleSlot) -> String? {
        if case .global(let name)? = node(slot)?.kind { name } else { nil }
    }
}
