/// The classes and functions that a checkpoint may name, and what is done in their place.
extension PickleMachine {
    private static let rebuildTensor: Set<String> = ["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"]
    private static let rebuildParameter: Set<String> = [
        "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    ]
    private static let dictionaries: Set<String> = ["collections.OrderedDict", "collections.defaultdict", "collections.Counter"]
    private static let sets: Set<String> = ["builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset"]
    private static let encodings: Set<String> = ["_codecs.encode", "builtins.bytearray", "__builtin__.bytearray"]
    /// TorchScript's lists of one type, and the note which type that was: their first argument is the value.
    private static let typedLists: Set<String> = [
        "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
        "torch.jit._pickle.build_boollist", "torch.jit._pickle.restore_type_tag",
    ]
    private static let reconstructors: Set<String> = ["copyreg._reconstructor", "copy_reg._reconstructor"]
    static let namespace = "argparse.Namespace"
    static let scriptPrefix = "__torch__."
    private static let untypedStorage = "torch.storage.UntypedStorage"

    private static let known: Set<String> = rebuildTensor.union(rebuildParameter).union(dictionaries).union(sets).union(encodings)
        .union(typedLists).union(reconstructors).union([
            namespace, untypedStorage, "torch.Size", "torch.device", "builtins.complex", "__builtin__.complex",
        ]).union(
            // What a defaultdict makes its values with, and the base class of an object; named, not called. Protocol 2 uses the words
            // of Python 2.
            ["list", "dict", "set", "tuple", "int", "long", "float", "bool", "str", "unicode", "object"].flatMap {
                ["builtins.\($0)", "__builtin__.\($0)"]
            })
    /// Element types as values; `torch.half` and its like are pickled under these names.
    private static let elementTypes: Set<String> = Set(
        [
            "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64",
            "complex128", "uint16", "uint32", "uint64",
        ].map { "torch.\($0)" })
    /// Values that training programs leave beside the tensors: numbers, arrays and random states of numpy, paths, dates. They are data, none of
    /// them is wanted, and nothing is run for them: each becomes opaque, by its name.
    private static let bystanders: Set<String> = {
        func names(_ modules: [String], _ names: [String]) -> [String] {
            modules.flatMap { module in names.map { "\(module).\($0)" } }
        }
        var known = names(["numpy.core.multiarray", "numpy._core.multiarray"], ["scalar", "_reconstruct"])
        known += ["numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"]
        known += names(["numpy"], ["dtype", "ndarray", "bool", "bool_", "str_", "bytes_"])
        known += names(["numpy"], ["int", "uint"].flatMap { kind in [8, 16, 32, 64].map { "\(kind)\($0)" } })
        known += names(["numpy"], ["float16", "float32", "float64", "complex64", "complex128"])
        known += names(["numpy.random._pickle"], ["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"])
        known += names(["numpy.random.bit_generator"], ["SeedSequence", "__pyx_unpickle_SeedSequence"])
        known += ["_mt19937.MT19937", "_pcg64.PCG64", "_pcg64.PCG64DXSM", "_philox.Philox", "_sfc64.SFC64"].map {
            "numpy.random.\($0)"
        }
        known += names(["pathlib", "pathlib._local"], ["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"])
        known += names(["datetime"], ["datetime", "date", "time", "timedelta"])
        return Set(known)
    }()

    /// A bystander, or the class of one of numpy's element types.
    private static func isBystander(_ name: String) -> Bool { bystanders.contains(name) || name.hasPrefix("numpy.dtypes.") }

    mutating func pushGlobal(_ name: String) throws(TensorFileError) {
        try heap.charge(bytes: name.utf8.count)
        guard !Self.elementTypes.contains(name) else { return try push(.text(name)) }
        guard
            objects == .collected || Self.known.contains(name) || Self.isBystander(name) || name.hasPrefix(Self.scriptPrefix)
                || ElementType(torchStorage: name) != nil
        else { throw TensorFileError.foreignGlobal(path: path, name: name) }
        try push(.global(name))
    }

    /// A function and its arguments, a tuple, become the function's result.
    mutating func reduce() throws(TensorFileError) {
        guard case .node(let index) = try pop(), case .tuple = heap.nodes[index].kind else {
            throw broken("a call's arguments are no tuple")
        }
        guard let name = heap.name(try pop()) else { throw broken("a call calls no function") }
        let arguments = heap.nodes[index].items
        switch name {
        case _ where Self.rebuildTensor.contains(name): try rebuildTensor(arguments)
        case _ where Self.rebuildParameter.contains(name):
            guard let tensor = arguments.first, case .tensor? = heap.node(tensor)?.kind else {
                throw broken("a parameter without a tensor")
            }
            try push(tensor)
        case _ where Self.dictionaries.contains(name): try push(.dictionary, try initialItems(name, arguments))
        case _ where Self.sets.contains(name):
            guard arguments.count <= 1, let items = arguments.first.map(heap.sequence) ?? [] else {
                throw broken("a set is made of something other than a list")
            }
            try push(.set, items)
        case _ where Self.encodings.contains(name): try encode(arguments)
        case _ where Self.typedLists.contains(name):
            guard let value = arguments.first else { throw broken("a list of TorchScript is missing") }
            try push(value)
        case "torch.Size":
            guard arguments.count == 1, heap.sequence(arguments[0]) != nil else { throw broken("a torch.Size without extents") }
            try push(arguments[0])
        case "torch.device":
            guard case .text(let kind)? = arguments.first else { throw broken("a torch.device without a name") }
            guard arguments.count > 1, case .integer(let number) = arguments[1] else { return try push(.text(kind)) }
            try heap.charge(bytes: kind.utf8.count)
            try push(.text("\(kind):\(number)"))
        case "builtins.complex", "__builtin__.complex": try push(.opaque("complex"))
        case _ where Self.reconstructors.contains(name):
            guard let type = arguments.first.flatMap(heap.name) else { throw broken("an object without a class") }
            try pushObject(type)
        case _ where name.hasPrefix(Self.scriptPrefix): try push(.opaque(name))
        case _ where Self.isBystander(name): try push(.opaque(name))
        default: throw TensorFileError.foreignGlobal(path: path, name: name)
        }
    }

    /// An object of a class, without its state: `class.__new__(class, *arguments)`, where the arguments are of no interest.
    mutating func create(withKeywords: Bool) throws(TensorFileError) {
        if withKeywords { _ = try pop() }
        _ = try pop()
        guard let name = heap.name(try pop()) else { throw broken("an object without a class") }
        try pushObject(name)
    }

    private mutating func pushObject(_ name: String) throws(TensorFileError) {
        if Self.dictionaries.contains(name) || name == "builtins.dict" || name == "__builtin__.dict" {
            return try push(.dictionary)
        }
        if Self.isBystander(name) { return try push(.opaque(name)) }
        guard objects == .collected || name == Self.namespace || name.hasPrefix(Self.scriptPrefix) else {
            throw TensorFileError.foreignGlobal(path: path, name: name)
        }
        try push(.object(name))
    }

    /// Gives the object on top of the stack its state.
    mutating func build() throws(TensorFileError) {
        let state = try pop()
        let object = try pop()
        guard case .node(let index) = object else { throw broken("a state without an object") }
        switch heap.nodes[index].kind {
        case .object: heap.setState(index, to: state)
        // Python lets a dictionary have attributes: a state_dict has `_metadata`, which describes nothing but versions.
        case .dictionary, .opaque: break
        default: throw broken("a state without an object")
        }
        try push(object)
    }

    /// `("storage", class, key, device, count)` becomes the storage; the device is where it was, and no longer matters.
    mutating func loadStorage() throws(TensorFileError) {
        let id = try pop()
        guard let parts = heap.sequence(id), parts.count >= 5, case .text("storage") = parts[0], case .text(let key) = parts[2],
            case .text = parts[3], case .integer(let count) = parts[4]
        else { throw broken("a persistent id is not that of a storage") }
        guard let name = heap.name(parts[1]), name == Self.untypedStorage || ElementType(torchStorage: name) != nil else {
            throw broken("a storage of an unknown class")
        }
        let storage = try PickledStorage(className: name, key: key, count: count, archive: archive, bytes: file)
        try push(.storage(storage))
    }

    /// `(storage, offset, size, stride, …)`: what follows says whether gradients were wanted.
    private mutating func rebuildTensor(_ arguments: [PickleSlot]) throws(TensorFileError) {
        guard arguments.count >= 4, case .storage(let storage)? = heap.node(arguments[0])?.kind,
            case .integer(let offset) = arguments[1], let shape = extents(arguments[2]), let strides = extents(arguments[3])
        else { throw broken("a tensor's storage, offset, size or strides are missing or too many") }
        guard let type = storage.type else { throw broken("a tensor on a storage without an element type") }
        let tensor = try CheckpointTensor(
            storage, type: type, offset: offset, shape: shape, strides: strides, mapping: mapping)
        try push(.tensor(tensor))
    }

    private func extents(_ slot: PickleSlot) -> [Int]? {
        guard let items = heap.sequence(slot), items.count <= CheckpointTensor.dimensionLimit else { return nil }
        let extents = items.compactMap { if case .integer(let extent) = $0 { extent } else { nil } }
        return extents.count == items.count ? extents : nil
    }

    /// What a dictionary begins with: nothing, another dictionary, or a list of pairs. A defaultdict's first argument makes values.
    private func initialItems(_ name: String, _ arguments: [PickleSlot]) throws(TensorFileError) -> [PickleSlot] {
        guard let first = name == "collections.defaultdict" ? arguments.dropFirst().first : arguments.first else { return [] }
        if let node = heap.node(first), case .dictionary = node.kind { return node.items }
        guard let pairs = heap.sequence(first) else { throw broken("a dictionary is made of something other than pairs") }
        var items: [PickleSlot] = []
        for pair in pairs {
            guard let pair = heap.sequence(pair), pair.count == 2 else {
                throw broken("a dictionary is made of something other than pairs")
            }
            items += pair
        }
        return items
    }

    /// Protocol 2 has no bytes: it writes them as a text, one character below 256 each, and how to make them bytes again.
    private mutating func encode(_ arguments: [PickleSlot]) throws(TensorFileError) {
        guard let first = arguments.first else { return try push(.bytes([])) }
        guard arguments.count == 2, case .text(let text) = first, case .text(let encoding) = arguments[1],
            ["latin1", "latin-1"].contains(encoding)
        else { throw broken("bytes are written otherwise than in Latin-1") }
        try heap.charge(bytes: text.utf8.count)
        let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
        guard bytes.count == text.unicodeScalars.count else { throw broken("bytes are written otherwise than in Latin-1") }
        try push(.bytes(bytes))
    }
}
