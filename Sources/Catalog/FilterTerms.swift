/// What a filter compares, for an index that keeps values beside its vectors and is given filters in its own language: a condition `equals`
/// admits a stored value if and only if `term(for:)` of the wanted one is among `terms(of:)` of the stored one, a range if and only if one
/// of `numbers(of:)` lies in it.
extension CatalogFilter {
    /// What can be asked for that finds a stored value: the whole of it, each of its parts, and for a category each path above; without regard
    /// to case and to how Unicode spells a letter. Each once.
    public static func terms(of stored: String, key: String) -> [String] {
        var terms: [String] = []
        func add(_ text: some StringProtocol) {
            let term = text.lowercased().oneSpelling
            if !terms.contains(where: { $0.utf8.elementsEqual(term.utf8) }) { terms.append(term) }
        }
        add(stored)
        for part in parts(of: stored) {
            add(part)
            guard key == "category" else { continue }
            for place in part.indices where part[place] == "/" { add(part[..<place]) }
        }
        return terms
    }

    /// The one term that a condition `equals` asks for.
    public static func term(for wanted: String) -> String { wanted.lowercased().oneSpelling }

    /// The numbers among the parts of a stored value.
    public static func numbers(of stored: String) -> [Double] { parts(of: stored).compactMap(number) }
}

extension CatalogColumns {
    /// All that a usable image can be filtered by, each key once, in no order; an image's own attribute stands before its product's.
    public func values(of image: ImageID) -> [(key: String, value: String)] {
        guard image > 0, image <= Self.greatestID, usable.contains(Int(image)) else { return [] }
        let all = [(key: "product_id", column: productIDs)] + columns.map { (key: $0.key.text, column: $0.value) }
        return all.compactMap { key, column in
            let code = column.codes[Int(image)]
            return code == 0 ? nil : (key, column.texts[Int(code)])
        }
    }
}
