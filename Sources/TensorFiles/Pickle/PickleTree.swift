/// Turns what a pickle left behind, where nodes are shared and may contain themselves, into a tree.
struct PickleTree {
    private let heap: PickleHeap
    /// What each node became, once it has.
    private var finished: [Finished?]
    /// Nodes on the way from the root to where we are.
    private var open: Set<Int> = []
    private var count = 0

    private struct Finished {
        let value: CheckpointValue
        /// Values in the tree, itself included.
        let count: Int
        /// Levels of the tree, itself included.
        let height: Int
    }

    /// - Throws: `.excessive` where the tree nests too deep, or would be too large because values are shared; `.invalidPickle` where
    ///   a value contains itself.
    static func value(of slot: PickleSlot, in heap: PickleHeap) throws(TensorFileError) -> CheckpointValue {
        var tree = PickleTree(heap: heap)
        return try tree.value(slot, depth: 0).value
    }

    private init(heap: PickleHeap) {
        self.heap = heap
        finished = Array(repeating: nil, count: heap.nodes.count)
    }

    private mutating func value(_ slot: PickleSlot, depth: Int) throws(TensorFileError) -> (value: CheckpointValue, height: Int) {
        switch slot {
        case .none: return (.none, try book(1, height: 1, depth: depth))
        case .truth(let truth): return (.truth(truth), try book(1, height: 1, depth: depth))
        case .integer(let integer): return (.integer(integer), try book(1, height: 1, depth: depth))
        case .number(let number): return (.number(number), try book(1, height: 1, depth: depth))
        case .text(let text): return (.text(text), try book(1, height: 1, depth: depth))
        case .node(let index):
            if let known = finished[index] { return (known.value, try book(known.count, height: known.height, depth: depth)) }
            _ = try book(1, height: 1, depth: depth)
            guard open.insert(index).inserted else {
                throw .invalidPickle(path: heap.path, offset: nil, problem: "a value contains itself")
            }
            let before = count
            let (value, height) = try node(heap.nodes[index], depth: depth)
            open.remove(index)
            finished[index] = Finished(value: value, count: count - before + 1, height: height)
            return (value, height)
        }
    }

    private mutating func book(_ values: Int, height: Int, depth: Int) throws(TensorFileError) -> Int {
        count += values
        guard count <= PickleLimits.values else {
            throw .excessive(path: heap.path, what: "\(count) values, shared ones each time", limit: PickleLimits.values)
        }
        guard depth + height <= PickleLimits.depth else {
            throw .excessive(path: heap.path, what: "\(depth + height) levels of values", limit: PickleLimits.depth)
        }
        return height
    }

    private mutating func node(_ node: PickleNode, depth: Int) throws(TensorFileError) -> (value: CheckpointValue, height: Int) {
        switch node.kind {
        case .list, .tuple, .set:
            var values: [CheckpointValue] = []
            var height = 0
            for item in node.items {
                let (value, levels) = try value(item, depth: depth + 1)
                values.append(value)
                height = max(height, levels)
            }
            return (.list(values), height + 1)
        case .dictionary: return try dictionary(node.items, depth: depth)
        case .object(let name): return try object(name, node.items.first, depth: depth)
        case .bytes(let bytes): return (.bytes(bytes), 1)
        case .tensor(let tensor): return (.tensor(tensor), 1)
        case .storage(let storage): return (.opaque(storage.className), 1)
        case .global(let name), .opaque(let name): return (.opaque(name), 1)
        }
    }

    private mutating func dictionary(
        _ items: [PickleSlot], depth: Int
    ) throws(TensorFileError) -> (value: CheckpointValue, height: Int) {
        var result = CheckpointDictionary()
        var height = 0
        for index in stride(from: 0, to: items.count, by: 2) {
            let key: CheckpointDictionary.Key
            switch items[index] {
            case .text(let text): key = .text(text)
            case .integer(let integer): key = .integer(integer)
            // As in Python, where True == 1.
            case .truth(let truth): key = .integer(truth ? 1 : 0)
            case .none, .number, .node: return (.opaque("dict"), 1)
            }
            if case .text(let before)? = result.stored(key), case .text(let now) = key, !before.utf8.elementsEqual(now.utf8) {
                throw .invalidPickle(
                    path: heap.path, offset: nil,
                    problem: "two keys that read `\(now.prefix(60))` differ in Unicode normalisation alone")
            }
            let (value, levels) = try value(items[index + 1], depth: depth + 1)
            result[key] = value
            height = max(height, levels)
        }
        return (.dictionary(result), height + 1)
    }

    // MARK: Objects

    /// What an object is shows in its state: a module of PyTorch, whatever its class is called, has three dictionaries.
    private mutating func object(
        _ name: String, _ state: PickleSlot?, depth: Int
    ) throws(TensorFileError) -> (value: CheckpointValue, height: Int) {
        guard let state else { return (isPlain(name) ? .dictionary([:]) : .opaque(name), 1) }
        if isPlain(name) {
            let (value, height) = try value(state, depth: depth + 1)
            return (value, height + 1)
        }
        guard let members = try members(of: state), let parameters = try self.members(of: members["_parameters"]),
            let buffers = try self.members(of: members["_buffers"]), let modules = try self.members(of: members["_modules"])
        else { return (.opaque(name), 1) }
        var result = CheckpointDictionary()
        var height = 0
        // As `state_dict()` has them: what is None is left out, and so are buffers that were never meant to be saved.
        let transient = try names(in: members["_non_persistent_buffers_set"])
        for member in parameters.list + buffers.list.filter({ !transient.contains($0.name) }) {
            guard case .tensor(let tensor)? = heap.node(member.slot)?.kind else { continue }
            _ = try book(1, height: 1, depth: depth + 1)
            result[.text(member.name)] = .tensor(tensor)
            height = max(height, 1)
        }
        for member in modules.list {
            guard case .object? = heap.node(member.slot)?.kind else { continue }
            let (value, levels) = try value(member.slot, depth: depth + 1)
            guard case .dictionary = value else { continue }
            result[.text(member.name)] = value
            height = max(height, levels)
        }
        return (.dictionary(result), height + 1)
    }

    /// Whether an object of the class is nothing but its state.
    private func isPlain(_ name: String) -> Bool {
        name == PickleMachine.namespace || name.hasPrefix(PickleMachine.scriptPrefix)
    }

    /// The entries of a dictionary that have a text for a key.
    private struct Members {
        var list: [(name: String, slot: PickleSlot)] = []
        private var places: [String: Int] = [:]

        subscript(name: String) -> PickleSlot? { places[name].map { list[$0].slot } }

        mutating func set(_ name: String, _ slot: PickleSlot) {
            if let place = places[name] {
                list[place].slot = slot
            } else {
                places[name] = list.count
                list.append((name, slot))
            }
        }
    }

    private mutating func members(of slot: PickleSlot?) throws(TensorFileError) -> Members? {
        guard let slot, let node = heap.node(slot), case .dictionary = node.kind else { return nil }
        // A thousand objects may share one state, and each costs a walk through it.
        _ = try book(node.items.count / 2, height: 0, depth: 0)
        var members = Members()
        for index in stride(from: 0, to: node.items.count, by: 2) {
            if case .text(let name) = node.items[index] { members.set(name, node.items[index + 1]) }
        }
        return members
    }

    private mutating func names(in slot: PickleSlot?) throws(TensorFileError) -> Set<String> {
        guard let slot, let node = heap.node(slot), case .set = node.kind else { return [] }
        _ = try book(node.items.count, height: 0, depth: 0)
        return Set(node.items.compactMap { if case .text(let name) = $0 { name } else { nil } })
    }
}
