/// Runs a pickle as far as it builds data, and refuses the rest. Nothing that a pickle names is ever called: the few functions that
/// tensors need are imitated (`PickleMachine+Calls.swift`), everything else is refused by name or kept as a name.
///
/// A pickle is a program for a stack machine with a memo: operations of one byte each, their arguments behind them. It ends with
/// STOP and the one value left on the stack. Memory is bounded by `PickleLimits`, time by the pickle's length and them.
struct PickleMachine {
    let path: String
    let archive: TorchArchive
    let mapping: FileMapping
    /// The whole file, which storages are looked up in.
    let file: UnsafeRawBufferPointer
    let objects: TorchCheckpoint.Objects

    private let pickle: UnsafeRawBufferPointer
    private var position = 0
    /// Where the operation now running begins.
    private var operation = 0
    private var stack: [PickleSlot] = []
    /// Heights of the stack at each MARK still open.
    private var marks: [Int] = []
    private var memo: [Int: PickleSlot] = [:]
    var heap: PickleHeap

    /// - Returns: the value, and the nodes that it refers to.
    static func run(
        archive: TorchArchive, mapping: FileMapping, file: UnsafeRawBufferPointer, objects: TorchCheckpoint.Objects
    ) throws(TensorFileError) -> (value: PickleSlot, heap: PickleHeap) {
        let range = try archive.pickle(in: file)
        guard range.count <= PickleLimits.bytes else {
            throw .excessive(path: archive.path, what: "a pickle of \(range.count) bytes", limit: PickleLimits.bytes)
        }
        var machine = PickleMachine(
            path: archive.path, archive: archive, mapping: mapping, file: file, objects: objects,
            pickle: UnsafeRawBufferPointer(rebasing: file[range]), heap: PickleHeap(path: archive.path))
        return (try machine.run(), machine.heap)
    }

    private init(
        path: String, archive: TorchArchive, mapping: FileMapping, file: UnsafeRawBufferPointer, objects: TorchCheckpoint.Objects,
        pickle: UnsafeRawBufferPointer, heap: PickleHeap
    ) {
        self.path = path
        self.archive = archive
        self.mapping = mapping
        self.file = file
        self.objects = objects
        self.pickle = pickle
        self.heap = heap
    }

    func broken(_ problem: String) -> TensorFileError {
        .invalidPickle(path: path, offset: operation, problem: problem)
    }

    private mutating func run() throws(TensorFileError) -> PickleSlot {
        guard try take(1)[0] == PickleOpcode.proto.rawValue, case let version = try take(1)[0], (2...5).contains(version) else {
            throw broken("expected a pickle of protocol 2 to 5")
        }
        while true {
            operation = position
            let byte = try take(1)[0]
            guard let opcode = PickleOpcode(rawValue: byte) else { throw broken("found the unknown operation \(byte)") }
            if opcode == .stop { break }
            try step(opcode)
        }
        let value = try pop()
        guard stack.isEmpty, marks.isEmpty else { throw broken("STOP leaves more than one value") }
        return value
    }

    private mutating func step(_ opcode: PickleOpcode) throws(TensorFileError) {
        switch opcode {
        case .stop: break
        case .proto: _ = try take(1)
        // A frame says how much to read ahead, which a mapped file has no need of.
        case .frame: _ = try take(8)

        case .none: try push(.none)
        case .newTrue: try push(.truth(true))
        case .newFalse: try push(.truth(false))
        case .binInt: try push(.integer(Int(try word(Int32.self))))
        case .binInt1: try push(.integer(Int(try word(UInt8.self))))
        case .binInt2: try push(.integer(Int(try word(UInt16.self))))
        case .long1: try pushLong(Int(try word(UInt8.self)))
        case .long4: try pushLong(Int(try word(Int32.self)))
        case .binFloat: try push(.number(Double(bitPattern: try word(UInt64.self).byteSwapped)))

        case .shortBinUnicode, .shortBinString: try pushText(Int(try word(UInt8.self)))
        case .binUnicode: try pushText(Int(try word(UInt32.self)))
        case .binString: try pushText(Int(try word(Int32.self)))
        case .binUnicode8: try pushText(try length())
        case .shortBinBytes: try pushBytes(Int(try word(UInt8.self)))
        case .binBytes: try pushBytes(Int(try word(UInt32.self)))
        case .binBytes8, .byteArray8: try pushBytes(try length())

        case .emptyTuple: try push(.tuple)
        case .tuple1: try push(.tuple, try pop(1))
        case .tuple2: try push(.tuple, try pop(2))
        case .tuple3: try push(.tuple, try pop(3))
        case .tuple: try push(.tuple, try popToMark())
        case .emptyList: try push(.list)
        case .list: try push(.list, try popToMark())
        case .emptyDict: try push(.dictionary)
        case .dict: try push(.dictionary, try pairs(try popToMark()))
        case .emptySet: try push(.set)
        case .frozenSet: try push(.set, try popToMark())
        case .append: try grow(with: try pop(1))
        case .appends, .addItems: try grow(with: try popToMark())
        case .setItem: try set(try pop(2))
        case .setItems: try set(try popToMark())

        case .mark: try mark()
        case .pop: try discard()
        case .popMark: _ = try popToMark()
        case .dup: try push(try top())
        case .binPut: try remember(Int(try word(UInt8.self)))
        case .longBinPut: try remember(Int(try word(UInt32.self)))
        case .memoize: try remember(memo.count)
        case .binGet: try pushMemo(Int(try word(UInt8.self)))
        case .longBinGet: try pushMemo(Int(try word(UInt32.self)))

        case .global: try pushGlobal("\(try line()).\(try line())")
        case .stackGlobal:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw broken("a global's name is no text")
            }
            guard module.utf8.count + name.utf8.count < PickleLimits.name else { throw broken("a global's name is too long") }
            try pushGlobal("\(module).\(name)")
        case .reduce: try reduce()
        case .newObject, .newObjectWithKeywords: try create(withKeywords: opcode == .newObjectWithKeywords)
        case .build: try build()
        case .persistentID: try loadStorage()
        }
    }

    // MARK: Bytes

    private mutating func take(_ count: Int) throws(TensorFileError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= pickle.count - position else { throw broken("the pickle is cut off") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: pickle[position..<position + count])
    }

    private mutating func word<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type) throws(TensorFileError) -> Word {
        Word(littleEndian: try take(MemoryLayout<Word>.size).loadUnaligned(as: Word.self))
    }

    private mutating func length() throws(TensorFileError) -> Int {
        guard let length = Int(exactly: try word(UInt64.self)) else { throw broken("the pickle is cut off") }
        return length
    }

    /// A module or a name: up to the next line feed, which is taken too.
    private mutating func line() throws(TensorFileError) -> String {
        let rest = pickle[position..<min(position + PickleLimits.name, pickle.count)]
        guard let end = rest.firstIndex(of: 0x0A), let text = String(validating: pickle[position..<end], as: UTF8.self) else {
            throw broken("a global's name is too long, cut off or not UTF-8")
        }
        position = end + 1
        return text
    }

    private mutating func pushText(_ count: Int) throws(TensorFileError) {
        let bytes = try take(count)
        try heap.charge(bytes: count)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw broken("a text is not UTF-8") }
        try push(.text(text))
    }

    private mutating func pushBytes(_ count: Int) throws(TensorFileError) {
        let bytes = try take(count)
        try heap.charge(bytes: count)
        try push(.bytes(Array(bytes)))
    }

    /// Two's complement, little-endian, as short as it can be; the empty number is 0.
    private mutating func pushLong(_ count: Int) throws(TensorFileError) {
        let bytes = try take(count)
        guard count <= 8 else { return try push(.opaque("int")) }
        let magnitude = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let spare = UInt64(64 - 8 * count)
        try push(.integer(count == 0 ? 0 : Int(Int64(bitPattern: magnitude << spare) >> Int64(spare))))
    }

    // MARK: Stack

    mutating func push(_ slot: PickleSlot) throws(TensorFileError) {
        try heap.charge(values: 1)
        stack.append(slot)
    }

    mutating func push(_ kind: PickleNode.Kind, _ items: [PickleSlot] = []) throws(TensorFileError) {
        try push(try heap.add(kind, items))
    }

    /// What lies below the last MARK belongs to an earlier operation.
    private var available: Int { stack.count - (marks.last ?? 0) }

    mutating func pop() throws(TensorFileError) -> PickleSlot {
        guard available > 0, let slot = stack.popLast() else { throw broken("an operation finds too few values") }
        return slot
    }

    private mutating func pop(_ count: Int) throws(TensorFileError) -> [PickleSlot] {
        guard available >= count else { throw broken("an operation finds too few values") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(TensorFileError) -> [PickleSlot] {
        guard let mark = marks.popLast() else { throw broken("an operation finds no MARK") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func top() throws(TensorFileError) -> PickleSlot {
        guard available > 0, let slot = stack.last else { throw broken("an operation finds too few values") }
        return slot
    }

    private mutating func mark() throws(TensorFileError) {
        guard marks.count < PickleLimits.values else {
            throw .excessive(path: path, what: "\(marks.count) open lists in its pickle", limit: PickleLimits.values)
        }
        marks.append(stack.count)
    }

    /// POP takes a MARK where that is what stands on top.
    private mutating func discard() throws(TensorFileError) {
        if available == 0, !marks.isEmpty { marks.removeLast() } else { _ = try pop() }
    }

    private mutating func remember(_ key: Int) throws(TensorFileError) {
        memo[key] = try top()
        guard memo.count <= PickleLimits.values else {
            throw .excessive(path: path, what: "\(memo.count) remembered values in its pickle", limit: PickleLimits.values)
        }
    }

    private mutating func pushMemo(_ key: Int) throws(TensorFileError) {
        guard let slot = memo[key] else { throw broken("the memo has no value \(key)") }
        try push(slot)
    }

    // MARK: Containers

    private func pairs(_ items: [PickleSlot]) throws(TensorFileError) -> [PickleSlot] {
        guard items.count.isMultiple(of: 2) else { throw broken("a key has no value") }
        return items
    }

    private mutating func grow(with items: [PickleSlot]) throws(TensorFileError) {
        guard case .node(let index) = try top() else { throw broken("only a list or a set can grow") }
        switch heap.nodes[index].kind {
        case .list, .set: heap.extend(index, with: items)
        // A class of its own that is also a list: what it holds is dropped with it.
        case .object, .opaque: break
        default: throw broken("only a list or a set can grow")
        }
    }

    private mutating func set(_ items: [PickleSlot]) throws(TensorFileError) {
        guard case .node(let index) = try top() else { throw broken("only a dictionary has keys") }
        switch heap.nodes[index].kind {
        case .dictionary: heap.extend(index, with: try pairs(items))
        case .object, .opaque: break
        default: throw broken("only a dictionary has keys")
        }
    }
}
