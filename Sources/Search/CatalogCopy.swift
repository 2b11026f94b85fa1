public import BitCollections
public import Catalog
import Foundation
public import Retrieval
import Synchronization

/// A catalogue made of what indexes on another machine keep of its pictures: all that can be filtered, browsed and shown, and no vectors.
///
/// It lets a machine answer that has no catalogue file. What it holds is gone with its folder and is read again at the next start.
public final class CatalogCopy: Sendable {
    public let store: CatalogStore
    /// Where the pictures' relative paths begin, without a slash at its end.
    private let pictures: String
    /// By model, the images that its index holds.
    private let held = Mutex<[String: BitSet]>([:])

    /// - Parameters:
    ///   - path: of the file to make; nothing stands there.
    ///   - pictures: an address of the web.
    /// - Throws: `CatalogError`.
    public init(path: String, pictures: String) throws(CatalogError) {
        store = try CatalogStore(path: path, mode: .create)
        self.pictures = pictures.hasSuffix("/") ? String(pictures.dropLast()) : pictures
    }

    /// What the index of one model keeps.
    /// - Throws: `CatalogError`.
    public func part(of model: ModelRecord) throws(CatalogError) -> Part {
        try store.register(model)
        return Part(copy: self, model: model.fingerprint)
    }

    /// Takes rows into the copy, and out of it, for one of the indexes.
    public struct Part: RowSink {
        fileprivate let copy: CatalogCopy
        fileprivate let model: String

        public var count: Int { copy.held.withLock { $0[model]?.count ?? 0 } }

        public func take(language: String?) throws {
            guard let language = language.flatMap(Language.init), try copy.store.language() != language else { return }
            try copy.store.set(language: language)
        }

        /// - Throws: `CatalogError`; `SearchError.unreadableRow`.
        public func take(_ rows: [KeptRow]) throws {
            var images: [CatalogImage] = []
            var products: [String: Product] = [:]
            for row in rows {
                let document: RowDocument
                do {
                    document = try JSONDecoder().decode(RowDocument.self, from: Data(row.document))
                } catch { throw SearchError.unreadableRow(row.id) }
                guard let image = document.image(row.id, below: copy.pictures) else { throw SearchError.unreadableRow(row.id) }
                images.append(image)
                products[document.product.id] = document.product
            }
            try copy.store.take(copies: images, of: Array(products.values), source: copy.pictures)
            copy.held.withLock { held in
                for row in rows { held[model, default: []].insert(Int(row.id)) }
            }
        }

        /// - Throws: `CatalogError`.
        public func keep(only ids: BitSet) throws {
            let gone = copy.held.withLock { held in
                let mine = held[model] ?? []
                held[model] = mine.intersection(ids)
                let others = held.values.reduce(into: BitSet()) { $0.formUnion($1) }
                return mine.subtracting(others)
            }
            try copy.store.remove(copies: gone.lazy.map { Int64($0) })
        }

        public func lacks(_ ids: BitSet) -> [Int64] {
            copy.held.withLock { ids.subtracting($0[model] ?? []).map { Int64($0) } }
        }
    }
}

extension RowDocument {
    /// The picture as a catalogue has it, its path an address that names it: two folders may hold files of one name.
    fileprivate func image(_ id: ImageID, below address: String) -> CatalogImage? {
        guard id > 0, let hash = image.sha256.flatMap(ContentHash.init(checking:)), let width = image.width, width > 0,
            let height = image.height, height > 0
        else { return nil }
        let place = image.path.split(separator: "/").map {
            $0.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? String($0)
        }
        return CatalogImage(
            id: id, productID: product.id, path: "\(address)/\(place.joined(separator: "/"))#\(id)", contentHash: hash,
            size: PictureSize(width: width, height: height), view: image.view, color: image.color, caption: image.caption,
            split: image.split, attributes: image.attributes, state: .ok)
    }
}
