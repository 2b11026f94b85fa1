public import Catalog
import Foundation
public import Retrieval

/// A catalogue's images as the rows of an index on another machine: vectors of one model, and what can be filtered by and shown.
public struct CatalogRows: RowSource {
    public let identity: String
    public let model: ModelRecord
    private let store: CatalogStore
    private let columns: CatalogColumns

    /// Reads the catalogue's columns.
    /// - Returns: nil for a catalogue of an older version, which says nothing that would tell it from others.
    /// - Throws: `CatalogError`.
    public init?(_ store: CatalogStore, of model: ModelRecord) throws(CatalogError) {
        guard let identity = try store.mark(at: 0) else { return nil }
        self.init(store, model, identity, try CatalogColumns(reading: store), language: try store.language().code)
    }

    private init(
        _ store: CatalogStore, _ model: ModelRecord, _ identity: String, _ columns: CatalogColumns, language: String?
    ) {
        (self.store, self.model, self.identity, self.columns, self.language) = (store, model, identity, columns, language)
    }

    public var position: Int64 { columns.position }
    public let language: String?
    public var ids: [Int64] { columns.usable.map { Int64($0) } }

    /// - Throws: `CatalogError`.
    public func current() throws(CatalogError) -> CatalogRows {
        CatalogRows(store, model, identity, try columns.updated(from: store), language: try store.language().code)
    }

    /// - Throws: `CatalogError`.
    public func mark(at position: Int64) throws(CatalogError) -> String? { try store.mark(at: position) }

    /// - Throws: `CatalogError`.
    public func count() throws(CatalogError) -> Int {
        columns.usable.count - (try store.countOfImages(withoutVectorOf: model.fingerprint))
    }

    /// - Throws: `CatalogError`.
    public func touched(after position: Int64) throws(CatalogError) -> [Int64]? {
        guard let changes = try store.changes(after: position) else { return nil }
        var touched = changes.images.union(changes.removedImages).union(changes.vectors[model.fingerprint] ?? [])
        for product in changes.products {
            guard let number = columns.productNumber(product) else { continue }
            touched.formUnion(columns.images(ofProduct: number))
        }
        return touched.sorted()
    }

    /// - Throws: `CatalogError`.
    public func rows(_ ids: some Sequence<Int64>) throws -> [IndexRow] {
        let ids = Array(ids)
        let vectors = try store.vectors(of: model.fingerprint, images: ids)
        let images = try store.images(vectors.keys)
        let products = try store.products(Set(images.values.map(\.productID)))
        let places = try store.places(vectors.keys)
        return try ids.compactMap { id in
            guard let vector = vectors[id], let image = images[id], image.state == .ok else { return nil }
            var (terms, numbers): ([String], [String: [Double]]) = ([], [:])
            for (key, value) in columns.values(of: id) {
                terms += CatalogFilter.terms(of: value, key: key).map { Self.term(key, $0) }
                let found = CatalogFilter.numbers(of: value)
                if !found.isEmpty { numbers[key] = found }
            }
            let document = RowDocument(image, products[image.productID], at: places[id])
            return IndexRow(
                id: id, product: image.productID, vector: vector, terms: terms.sorted(), numbers: numbers,
                document: try document.bytes())
        }
    }

    /// A key and a value as one term. Long ones are told by their digest: an index that holds whole descriptions would be mostly these.
    static func term(_ key: String, _ value: String) -> String {
        let key = key.replacing("%", with: "%25").replacing("=", with: "%3D")
        let term = "\(key)=\(value)"
        // No key is empty, so nothing else begins with the sign.
        return term.utf8.count <= 120 ? term : "=" + ContentHash(of: Data(term.utf8)).hex
    }
}

extension RowFilter {
    /// The same filter for the rows of a catalogue.
    public init(_ filter: CatalogFilter) {
        self.init(
            clauses: filter.clauses.map { clause in
                var result = Clause()
                for condition in clause.anyOf {
                    switch condition {
                    case .equals(let wanted):
                        result.terms.append(CatalogRows.term(clause.key, CatalogFilter.term(for: wanted)))
                    case .range(let from, let to): result.ranges.append(Range(key: clause.key, from: from, to: to))
                    }
                }
                return result
            })
    }
}

/// What an answer shows of an image and its product, as an index on another machine keeps it.
public struct RowDocument: Codable, Sendable, Equatable {
    public struct Picture: Codable, Sendable, Equatable {
        /// Where the file lies below the folder of its source; the server's own folders are nobody's business.
        public var path: String
        /// Of the file's bytes.
        public var sha256: String?
        public var view: String?
        public var color: String?
        public var caption: String?
        public var split: String?
        /// Of the upright picture, in pixels.
        public var width: Int?
        public var height: Int?
        public var attributes: [String: String]
    }

    public var product: Product
    public var image: Picture

    init(_ image: CatalogImage, _ product: Product?, at place: ImagePlace?) {
        self.product = product ?? Product(id: image.productID)
        let path = place?.path ?? image.path
        let isBelow = place.map { path.hasPrefix($0.folder + "/") } ?? false
        self.image = Picture(
            path: isBelow ? String(path.dropFirst((place?.folder.count ?? 0) + 1)) : image.file.lastPathComponent,
            sha256: image.contentHash?.hex, view: image.view, color: image.color, caption: image.caption, split: image.split,
            width: image.size?.width,
            height: image.size?.height, attributes: image.attributes)
    }

    /// The most that an index takes of a document.
    private static let limit = 65_536

    /// - Returns: JSON in UTF-8; without the description, and then without attributes, where it would be too long.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var document = self
        var bytes = try encoder.encode(document)
        if bytes.count > Self.limit {
            document.product.description = nil
            document.image.caption = nil
            bytes = try encoder.encode(document)
        }
        if bytes.count > Self.limit {
            (document.product.attributes, document.image.attributes) = ([:], [:])
            bytes = try encoder.encode(document)
        }
        return Array(bytes)
    }
}
