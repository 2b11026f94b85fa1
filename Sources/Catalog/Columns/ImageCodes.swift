import BitCollections

/// A number for each image that has one, by image id; 0 where an image has none.
struct ImageCodes: Sendable {
    /// As an array over all ids, no wider than its numbers need, or, where few images have a number, as two lists in the order of ids: a
    /// catalogue may have thousands of attributes that three images have each.
    private enum Storage: Sendable {
        case bytes([UInt8])
        case pairs([UInt16])
        case words([UInt32])
        case sparse(ids: [UInt32], codes: [UInt32])
    }

    private var storage: Storage = .sparse(ids: [], codes: [])

    /// How many images have a number.
    private(set) var count = 0

    init() {}

    /// - Parameter pairs: each image at most once, in any order.
    init(_ pairs: [(id: UInt32, code: UInt32)], greatest: Int) {
        count = pairs.count
        if Self.isDense(count, greatest: greatest) {
            switch pairs.reduce(0, { max($0, $1.code) }) {
            case ...UInt32(UInt8.max): storage = .bytes(Self.array(pairs, greatest))
            case ...UInt32(UInt16.max): storage = .pairs(Self.array(pairs, greatest))
            default: storage = .words(Self.array(pairs, greatest))
            }
        } else {
            let pairs = pairs.sorted { $0.id < $1.id }
            storage = .sparse(ids: pairs.map(\.id), codes: pairs.map(\.code))
        }
    }

    /// An entry of a list takes more room than one in an array, and is found more slowly.
    private static func isDense(_ count: Int, greatest: Int) -> Bool { count * 8 > greatest }

    private static func array<Code: FixedWidthInteger>(_ pairs: [(id: UInt32, code: UInt32)], _ greatest: Int) -> [Code] {
        var codes = [Code](repeating: 0, count: greatest + 1)
        for pair in pairs { codes[Int(pair.id)] = Code(truncatingIfNeeded: pair.code) }
        return codes
    }

    subscript(id: Int) -> UInt32 {
        switch storage {
        case .bytes(let codes): return id < codes.count ? UInt32(codes[id]) : 0
        case .pairs(let codes): return id < codes.count ? UInt32(codes[id]) : 0
        case .words(let codes): return id < codes.count ? codes[id] : 0
        case .sparse(let ids, let codes):
            let place = ids.partitioningIndex { $0 >= id }
            return place < ids.count && ids[place] == id ? codes[place] : 0
        }
    }

    /// The numbers of images, in their order; 0 for those that have none.
    func codes(of images: [UInt32]) -> [UInt32] {
        func take(_ codes: [some FixedWidthInteger]) -> [UInt32] {
            images.map { Int($0) < codes.count ? UInt32(truncatingIfNeeded: codes[Int($0)]) : 0 }
        }
        switch storage {
        case .bytes(let codes): return take(codes)
        case .pairs(let codes): return take(codes)
        case .words(let codes): return take(codes)
        case .sparse: return images.map { self[Int($0)] }
        }
    }

    // MARK: Changing

    /// Gives an image another number; 0 takes it away.
    mutating func set(_ id: Int, to code: UInt32) {
        let before = self[id]
        if before == code { return }
        count += (code == 0 ? 0 : 1) - (before == 0 ? 0 : 1)
        let former = storage
        // Let go, so that an array that nobody else holds is changed in place.
        storage = .sparse(ids: [], codes: [])
        switch consume former {
        case .bytes(let codes):
            storage =
                code <= UInt8.max
                ? .bytes(Self.putting(code, id, into: codes))
                : code <= UInt16.max
                    ? .pairs(Self.putting(code, id, into: codes.map(UInt16.init)))
                    : .words(Self.putting(code, id, into: codes.map(UInt32.init)))
        case .pairs(let codes):
            storage =
                code <= UInt16.max
                ? .pairs(Self.putting(code, id, into: codes)) : .words(Self.putting(code, id, into: codes.map(UInt32.init)))
        case .words(let codes): storage = .words(Self.putting(code, id, into: codes))
        case .sparse(let ids, let codes): storage = Self.putting(code, id, ids, codes)
        }
        if case .sparse(let ids, let codes) = storage, let greatest = ids.last, Self.isDense(count, greatest: Int(greatest)) {
            self = ImageCodes(Array(zip(ids, codes)), greatest: Int(greatest))
        }
    }

    private static func putting<Code: FixedWidthInteger>(_ code: UInt32, _ id: Int, into codes: consuming [Code]) -> [Code] {
        if id >= codes.count { codes.append(contentsOf: repeatElement(0, count: id + 1 - codes.count)) }
        codes[id] = Code(truncatingIfNeeded: code)
        return codes
    }

    private static func putting(
        _ code: UInt32, _ id: Int, _ ids: consuming [UInt32], _ codes: consuming [UInt32]
    ) -> Storage {
        let place = ids.partitioningIndex { $0 >= id }
        let isThere = place < ids.count && ids[place] == id
        if code == 0, isThere {
            ids.remove(at: place)
            codes.remove(at: place)
        } else if isThere {
            codes[place] = code
        } else {
            ids.insert(UInt32(id), at: place)
            codes.insert(code, at: place)
        }
        return .sparse(ids: ids, codes: codes)
    }

    // MARK: Finding

    /// The images whose number is marked.
    /// - Parameter marks: a 1 for each number that counts, 0 for every other, among them 0 for the number 0; longer than every number.
    func images(marked marks: [UInt8]) -> BitSet {
        switch storage {
        case .bytes(let codes): return Self.scan(codes, marks)
        case .pairs(let codes): return Self.scan(codes, marks)
        case .words(let codes): return Self.scan(codes, marks)
        case .sparse(let ids, let codes):
            var images = BitSet()
            for (id, code) in zip(ids, codes) where marks[Int(code)] != 0 { images.insert(Int(id)) }
            return images
        }
    }

    /// A word of the set at a time, without a branch: most of a filter's time is spent here.
    private static func scan<Code: FixedWidthInteger>(_ codes: [Code], _ marks: [UInt8]) -> BitSet {
        let words = [UInt](unsafeUninitializedCapacity: codes.count / 64 + 1) { words, count in
            codes.withUnsafeBufferPointer { codes in
                marks.withUnsafeBufferPointer { marks in
                    for start in stride(from: 0, to: codes.count, by: 64) {
                        var word: UInt = 0
                        for place in start..<min(start + 64, codes.count) {
                            word |= UInt(marks[Int(truncatingIfNeeded: codes[place])]) << UInt(place - start)
                        }
                        words[count] = word
                        count += 1
                    }
                }
            }
        }
        return BitSet(words: words)
    }
}
