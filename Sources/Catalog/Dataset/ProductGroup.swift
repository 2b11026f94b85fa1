/// The rows of one product, sorted into what holds for the product and what holds for one picture.
///
/// A column that is neither a product's nor an image's by name is an attribute: of the product, if every row of the product
/// has it with the same value, else of the rows that have it. So the outcome depends on no order.
struct ProductGroup: Sendable {
    struct Picture: Sendable {
        let row: ManifestRow
        let attributes: [String: String]
    }

    var product: Product
    let pictures: [Picture]
    /// Product columns in which rows contradict each other; the first row stands.
    let conflicts: [ManifestProblem]

    init(rows: [ManifestRow], source: String) {
        var values: [String: (text: String, line: Int?)] = [:]
        var conflicts: [ManifestProblem] = []
        for column in Column.product {
            for row in rows {
                guard let text = row.fields[column] else { continue }
                guard let first = values[column] else {
                    values[column] = (text, row.line)
                    continue
                }
                if first.text != text {
                    let earlier = first.line.map { " in line \($0)" } ?? ""
                    conflicts.append(
                        ManifestProblem(
                            source: source, line: row.line,
                            message:
                                "the \(column) of product '\(row.productID)' is '\(text)' here and '\(first.text)'\(earlier); the first is kept"
                        ))
                    break
                }
            }
        }
        var shared = rows.first?.fields.filter { !Column.known.contains($0.key) } ?? [:]
        for row in rows.dropFirst() where !shared.isEmpty {
            shared = shared.filter { row.fields[$0.key] == $0.value }
        }
        product = Product(
            id: rows.first?.productID ?? "", title: values["title"]?.text, category: values["category"]?.text,
            brand: values["brand"]?.text, price: values["price"].flatMap { Double($0.text) }, currency: values["currency"]?.text,
            url: values["url"]?.text, inStock: values["in_stock"].map { $0.text == "true" },
            description: values["description"]?.text, attributes: shared)
        pictures = rows.map { row in
            Picture(row: row, attributes: row.fields.filter { !Column.known.contains($0.key) && shared[$0.key] == nil })
        }
        self.conflicts = conflicts
    }

    /// Groups rows by product, products in the order of their first row.
    static func groups(of rows: [ManifestRow], source: String) -> [ProductGroup] {
        var order: [String] = []
        var byProduct: [String: [ManifestRow]] = [:]
        for row in rows {
            if byProduct[row.productID] == nil { order.append(row.productID) }
            byProduct[row.productID, default: []].append(row)
        }
        return order.map { ProductGroup(rows: byProduct[$0] ?? [], source: source) }
    }
}
