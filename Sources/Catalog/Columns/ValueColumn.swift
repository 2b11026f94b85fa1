import BitCollections

/// What each usable image has under one key: the different values once, and a code for each image.
///
/// A value that many images share has the set of these images ready. The images of all others are found by a pass over the codes, which is
/// quick and needs neither set nor list for each of a hundred thousand titles.
struct ValueColumn: Sendable {
    /// The values by code. 0 is the code of no value; values that no image has any more stay.
    private(set) var texts = TextPool()
    private(set) var codes = ImageCodes()
    /// How many images have the value, by code.
    private var counts: [UInt32] = [0]
    /// The images of each value that many images share.
    private var sets: [UInt32: BitSet] = [:]
    private var terms = TermIndex()
    /// The numbers among values and their parts; in ascending order once a whole catalogue was read.
    private var numbers: [(number: Double, code: UInt32)] = []
    /// Values that are counted as others, as their parts for instance, and these others, by code.
    private(set) var shown: [UInt32: [UInt32]] = [:]
    private(set) var isShownOtherwise = BitSet()
    /// How many values no image has.
    private(set) var idle = 0
    /// The codes by value, while a whole catalogue is read.
    private var reading: [ExactText: UInt32]? = [:]
    /// What was encoded last, while a whole catalogue is read.
    private var latest: (text: ExactText, code: UInt32)?

    private let isCategory: Bool

    init(key: String) {
        isCategory = key == "category"
        texts.append("")
    }

    /// How many images have a value.
    var count: Int { codes.count }

    // MARK: Reading a whole catalogue

    /// Gives all images their values; once, at the end.
    /// - Parameters:
    ///   - pairs: each image that has a value, once, and its code of `encode`.
    ///   - greatest: the greatest image id.
    mutating func fill(_ pairs: [(id: UInt32, code: UInt32)], greatest: Int) {
        reading = nil
        latest = nil
        codes = ImageCodes(pairs, greatest: greatest)
        for pair in pairs { counts[Int(pair.code)] += 1 }
        terms.settle()
        numbers.sort { $0.number < $1.number }
        idle = counts.dropFirst().count { $0 == 0 }
        // A set takes less room than a list of its images would.
        for (code, count) in counts.enumerated().dropFirst() where Int(count) * 32 > greatest {
            var marks = [UInt8](repeating: 0, count: counts.count)
            marks[code] = 1
            sets[UInt32(code)] = codes.images(marked: marks)
        }
    }

    /// The code of a value, made at its first use.
    mutating func encode(_ text: String) -> UInt32 {
        // Rows that come one after the other often hold the same.
        if let latest, latest.text == ExactText(text) { return latest.code }
        let code = code(of: text) ?? appendWithParts(text)
        if reading != nil { latest = (ExactText(text), code) }
        return code
    }

    private mutating func appendWithParts(_ text: String) -> UInt32 {
        let code = append(text)
        let parts = CatalogFilter.parts(of: text).filter { !$0.isEmpty }.map(\.oneSpelling)
        if parts.count != 1 || !parts[0].utf8.elementsEqual(text.utf8) {
            var others: [UInt32] = []
            for part in parts {
                // A part of one letter's other spelling is itself no part of anything: no third level.
                let other = self.code(of: part) ?? append(part)
                if !others.contains(other) { others.append(other) }
            }
            shown[code] = others
            isShownOtherwise.insert(Int(code))
        }
        return code
    }

    /// The code of a value as it is written, byte by byte; `nil` where no image ever had it.
    func code(of text: String) -> UInt32? {
        if let reading { return reading[ExactText(text)] }
        return terms.candidates(text).first { texts.holds(text, at: Int($0)) }
    }

    private mutating func append(_ text: String) -> UInt32 {
        let code = UInt32(texts.count)
        texts.append(text)
        counts.append(0)
        idle += 1
        terms.add(text, code: code, isCategory: isCategory)
        for part in CatalogFilter.parts(of: text) {
            guard let number = CatalogFilter.number(part) else { continue }
            let place = reading == nil ? numbers.partitioningIndex { $0.number > number } : numbers.count
            numbers.insert((number, code), at: place)
        }
        if reading == nil { terms.settle() } else { reading?[ExactText(text)] = code }
        return code
    }

    // MARK: Changing

    /// Gives an image another value; `nil` takes it away.
    /// - Returns: the code of the new value, 0 for none.
    @discardableResult
    mutating func set(_ id: Int, to text: String?) -> UInt32 {
        let before = codes[id]
        // Most of what is set again is what it was; then nothing is copied.
        if let text, before != 0, texts.holds(text, at: Int(before)) { return before }
        let code = text.map { encode($0) } ?? 0
        if code == before { return code }
        codes.set(id, to: code)
        if before != 0 {
            counts[Int(before)] -= 1
            if counts[Int(before)] == 0 { idle += 1 }
            sets[before]?.remove(id)
        }
        if code != 0 {
            counts[Int(code)] += 1
            if counts[Int(code)] == 1 { idle -= 1 }
            sets[code]?.insert(id)
        }
        return code
    }

    // MARK: Asking

    /// The values that any image has, each once and one of several alone, with how many images have it; in no order.
    func values(where isWanted: (String) -> Bool) -> [(value: String, images: Int)] {
        var found: [UInt32: Int] = [:]
        for code in 1..<max(1, texts.count) where counts[code] > 0 {
            for shown in shown[UInt32(code)] ?? [UInt32(code)] { found[shown, default: 0] += Int(counts[code]) }
        }
        return found.compactMap { code, images in
            let value = texts[Int(code)]
            return isWanted(value) ? (value, images) : nil
        }
    }

    /// The images whose value is wanted.
    func images(where isWanted: (String) -> Bool) -> BitSet {
        var marks = [UInt8](repeating: 0, count: counts.count)
        var any = false
        for code in 1..<max(1, texts.count) where counts[code] > 0 && isWanted(texts[code]) {
            marks[code] = 1
            any = true
        }
        return any ? codes.images(marked: marks) : BitSet()
    }

    /// The images that a clause admits.
    func images(admittedBy clause: CatalogFilter.Clause) -> BitSet {
        var marks = [UInt8](repeating: 0, count: counts.count)
        var admitted: [UInt32] = []
        func admit(_ code: UInt32) {
            guard counts[Int(code)] > 0, marks[Int(code)] == 0 else { return }
            marks[Int(code)] = 1
            admitted.append(code)
        }
        // A condition that is given twice costs nothing twice.
        for condition in Set(clause.anyOf) {
            switch condition {
            case .equals(let wanted):
                let alone = CatalogFilter.Clause(key: clause.key, anyOf: [condition])
                for code in terms.candidates(wanted) where counts[Int(code)] > 0 && marks[Int(code)] == 0 {
                    if alone.admits(texts[Int(code)]) { admit(code) }
                }
            case .range(let lower, let upper):
                let first = lower.map { lower in numbers.partitioningIndex { $0.number >= lower } } ?? 0
                for entry in numbers[first...] {
                    if let upper, entry.number > upper { break }
                    admit(entry.code)
                }
            }
        }
        if admitted.isEmpty { return BitSet() }
        // Many sets together cost more than the one pass that finds the images of all.
        if admitted.count <= 16, admitted.allSatisfy({ sets[$0] != nil }) {
            return admitted.dropFirst().reduce(into: sets[admitted[0]] ?? BitSet()) { $0.formUnion(sets[$1] ?? BitSet()) }
        }
        return codes.images(marked: marks)
    }
}
