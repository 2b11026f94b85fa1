import BitCollections

/// A number for each image that has one, by image id; 0 where an image has none.
struct ImageCodes: Sendable {
    /// As an array over all ids, or, where few images have a number, as two lists in the order of ids: a catalogue may have thousands of
    /// attributes that three images have each.
    private enum Storage: Sendable {
        case dense([UInt32])
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
            var codes = [UInt32](repeating: 0, count: greatest + 1)
            for pair in pairs { codes[Int(pair.id)] = pair.code }
            storage = .dense(codes)
        } else {
            var pairs = pairs
            pairs.sort { $0.id < $1.id }
            storage = .sparse(ids: pairs.map(\.id), codes: pairs.map(\.code))
        }
    }

    /// An entry of a list takes twice the room of one in an array, and is found more slowly.
    private static func isDense(_ count: Int, greatest: Int) -> Bool { count * 8 > greatest }

    subscript(id: Int) -> UInt32 {
        switch storage {
        case .dense(let codes): return id < codes.count ? codes[id] : 0
        case .sparse(let ids, let codes):
            let place = ids.partitioningIndex { $0 >= id }
            return place < ids.count && ids[place] == id ? codes[place] : 0
        }
    }

    /// The numbers of images, in their order; 0 for those that have none.
    func codes(of images: [UInt32]) -> [UInt32] {
        switch storage {
        case .dense(let codes): images.map { Int($0) < codes.count ? codes[Int($0)] : 0 }
        case .sparse: images.map { self[Int($0)] }
        }
    }

    /// Gives an image another number; 0 takes it away.
    mutating func set(_ id: Int, to code: UInt32) {
        let before = self[id]
        if before == code { return }
        count += (code == 0 ? 0 : 1) - (before == 0 ? 0 : 1)
        switch storage {
        case .dense(var codes):
            // Held once, so that it is changed in place.
            storage = .sparse(ids: [], codes: [])
            if id >= codes.count { codes.append(contentsOf: repeatElement(0, count: id + 1 - codes.count)) }
            codes[id] = code
            storage = .dense(codes)
        case .sparse(var ids, var codes):
            storage = .sparse(ids: [], codes: [])
            let place = ids.partitioningIndex { $0 >= id }
            if code == 0 {
                ids.remove(at: place)
                codes.remove(at: place)
            } else if before != 0 {
                codes[place] = code
            } else {
                ids.insert(UInt32(id), at: place)
                codes.insert(code, at: place)
            }
            if let greatest = ids.last, Self.isDense(count, greatest: Int(greatest)) {
                var all = [UInt32](repeating: 0, count: Int(greatest) + 1)
                for (id, code) in zip(ids, codes) { all[Int(id)] = code }
                storage = .dense(all)
            } else {
                storage = .sparse(ids: ids, codes: codes)
            }
        }
    }

    /// The images whose number is marked.
    /// - Parameter marks: a 1 for each number that counts, 0 for every other, among them 0 for the number 0; longer than every number.
    func images(marked marks: [UInt8]) -> BitSet {
        switch storage {
        case .dense(let codes):
            // A word of the set at a time, without a branch: most of a filter's time is spent here.
            let words = [UInt](unsafeUninitializedCapacity: codes.count / 64 + 1) { words, count in
                codes.withUnsafeBufferPointer { codes in
                    marks.withUnsafeBufferPointer { marks in
                        for start in stride(from: 0, to: codes.count, by: 64) {
                            var word: UInt = 0
                            for place in start..<min(start + 64, codes.count) {
                                word |= UInt(marks[Int(codes[place])]) << UInt(place - start)
                            }
                            words[count] = word
                            count += 1
                        }
                    }
                }
            }
            return BitSet(words: words)
        case .sparse(let ids, let codes):
            var images = BitSet()
            for (id, code) in zip(ids, codes) where marks[Int(code)] != 0 { images.insert(Int(id)) }
            return images
        }
    }
}
