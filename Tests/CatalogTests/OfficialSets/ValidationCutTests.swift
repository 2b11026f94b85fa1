import Testing

@testable import Catalog

@Suite("The validation cut")
struct ValidationCutTests {
    /// Items with so many training pictures each, and one item of the test.
    private func set(_ counts: [Int], shuffled: Bool = false) -> OfficialSet {
        var set = OfficialSet(root: "/", source: "/list")
        for (item, count) in counts.enumerated() {
            for picture in 0..<count {
                set.rows.append(
                    OfficialSet.Row(
                        line: nil, name: "\(item)/\(picture)", path: "/\(item)/\(picture)", productID: "I\(item)",
                        fields: ["split": "train"], crop: nil))
            }
        }
        for split in ["query", "gallery"] {
            set.rows.append(
                OfficialSet.Row(line: nil, name: split, path: "/" + split, productID: "T", fields: ["split": split], crop: nil))
        }
        if shuffled {
            var generator = SystemRandomNumberGenerator()
            set.rows.shuffle(using: &generator)
        }
        return set
    }

    private func names(_ set: OfficialSet, _ split: String?) -> Set<String> {
        Set(set.rows.filter { $0.fields["split"] == split }.map(\.name))
    }

    private func counts(_ set: OfficialSet, _ split: String) -> [String: Int] {
        Dictionary(set.rows.filter { $0.fields["split"] == split }.map { ($0.productID, 1) }, uniquingKeysWith: +)
    }

    @Test("identities: whole items, a tenth of them, none of which is trained on; the test is as it was")
    func identities() {
        var set = set((0..<100).map { 2 + $0 % 5 })
        set.cutValidation(ValidationCut())
        let (train, val) = (counts(set, "train"), counts(set, "val"))
        #expect(val.count == 10 && train.count == 90)
        #expect(Set(train.keys).isDisjoint(with: val.keys))
        for (item, count) in val { #expect(count == 2 + (Int(item.dropFirst()) ?? 0) % 5) }
        #expect(names(set, "query") == ["query"] && names(set, "gallery") == ["gallery"] && names(set, nil) == [])
    }

    @Test("images: a fifth of the pictures, spread over the items, of which each keeps two")
    func images() {
        var set = set((0..<100).map { 2 + $0 % 9 })
        let all = set.rows.count - 2
        set.cutValidation(ValidationCut(.images))
        let (train, val) = (counts(set, "train"), counts(set, "val"))
        #expect(val.values.reduce(0, +) == Int((Double(all) * 0.2).rounded()))
        #expect(train.count == 100 && train.values.allSatisfy { $0 >= 2 })
        for (item, count) in val {
            let size = 2 + (Int(item.dropFirst()) ?? 0) % 9
            #expect(abs(Double(count) - Double(size) * 0.2) < 1.5, "\(count) of \(size)")
        }
    }

    @Test(
        "items with one training picture are used for nothing, whatever the cut",
        arguments: [ValidationCut.Kind.identities, .images])
    func singles(kind: ValidationCut.Kind) {
        var set = set([1, 4, 1, 4, 4])
        set.cutValidation(ValidationCut(kind))
        #expect(names(set, nil) == ["0/0", "2/0"])
        var official = self.set([1, 2])
        official.cutValidation(nil)
        #expect(names(official, nil) == ["0/0"] && names(official, "train").count == 2 && names(official, "val") == [])
    }

    @Test(
        "the cut depends on the seed and the names alone, not on the order of the rows",
        arguments: [ValidationCut.Kind.identities, .images])
    func seeds(kind: ValidationCut.Kind) {
        let sizes = (0..<60).map { 3 + $0 % 4 }
        var (one, two, three) = (set(sizes), set(sizes, shuffled: true), set(sizes))
        one.cutValidation(ValidationCut(kind, seed: 5))
        two.cutValidation(ValidationCut(kind, seed: 5))
        three.cutValidation(ValidationCut(kind, seed: 6))
        #expect(names(one, "val") == names(two, "val") && names(one, "val") != names(three, "val"))
    }

    @Test("small sets: of two items one is cut, of one none; a share of 0 cuts nothing; no share takes all")
    func small() {
        var two = set([3, 3])
        two.cutValidation(ValidationCut())
        #expect(counts(two, "val").count == 1 && counts(two, "train").count == 1)
        var one = set([9])
        one.cutValidation(ValidationCut())
        #expect(counts(one, "val") == [:])
        var none = set([9, 9, 9])
        none.cutValidation(ValidationCut(share: 0))
        #expect(counts(none, "val") == [:])
        var most = set([9, 9, 9])
        most.cutValidation(ValidationCut(share: 0.99))
        #expect(counts(most, "val").count == 2)
        var pairs = set([2, 2, 2])
        pairs.cutValidation(ValidationCut(.images))
        #expect(counts(pairs, "val") == [:] && counts(pairs, "train").count == 3)
    }
}
