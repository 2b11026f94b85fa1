import Foundation
import Hashing

extension CatalogStore {
    /// The catalogue as a data set: what its models can be trained and measured on. Every usable image is a row; products are identities.
    ///
    /// Where no image is kept for training, as in a catalogue that is there to be searched, all are taken, and products are drawn for validation
    /// by their ids alone: the same ones whenever the catalogue is read, and no product has images on both sides.
    /// - Parameters:
    ///   - path: the catalogue's file, as the data set's source.
    ///   - validationShare: of the products with two images and more, 0…1.
    public func dataset(path: String, validationShare: Double = 0.15) throws(CatalogError) -> Dataset {
        let products = Dictionary(uniqueKeysWithValues: try products().map { ($0.id, $0) })
        let images = try images().filter { $0.state == .ok }
        let hasSplits = images.contains { $0.split == "train" }
        let counts = images.reduce(into: [String: Int]()) { $0[$1.productID, default: 0] += 1 }
        let rows = images.map { image in
            var fields = products[image.productID]?.fields ?? [:]
            fields.merge(image.attributes) { _, own in own }
            for (column, value) in [
                ("view", image.view), ("color", image.color), ("caption", image.caption), ("split", image.split),
            ] { fields[column] = value ?? fields[column] }
            if !hasSplits {
                // A product of one image asks nothing and answers nothing.
                let asks = counts[image.productID, default: 0] > 1 && Self.draw(image.productID) < validationShare
                fields["split"] = asks ? "val" : "train"
            }
            return ManifestRow(line: nil, image: image.path, path: image.path, productID: image.productID, fields: fields)
        }
        guard !rows.isEmpty else { throw .emptySource(path: path, format: .folder) }
        return Dataset(rows: rows, source: path)
    }

    /// 0..<1, the same for one id whenever it is asked for.
    private static func draw(_ id: String) -> Double {
        Double(Int(ContentHash(of: Data(id.utf8)).hex.prefix(8), radix: 16) ?? 0) / 4_294_967_296
    }
}

extension Product {
    /// The columns that a manifest would have for the product.
    fileprivate var fields: [String: String] {
        var fields = attributes
        let columns = [
            ("title", title), ("category", category), ("brand", brand), ("price", price.map { String($0) }),
            ("currency", currency),
            ("url", url), ("in_stock", inStock.map { String($0) }), ("description", description),
        ]
        for (column, value) in columns { fields[column] = value }
        return fields
    }
}
