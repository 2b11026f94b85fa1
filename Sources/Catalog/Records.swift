public import Foundation
import Hashing

/// Names an image within one catalogue file. Stays the same when the file is renamed or its metadata change.
public typealias ImageID = Int64

/// A garment as it is sold: what search results show.
public struct Product: Sendable, Hashable, Codable, Identifiable {
    public var id: String
    public var title: String?
    public var category: String?
    public var brand: String?
    /// In units of `currency`, finite and not negative.
    public var price: Double?
    public var currency: String?
    public var url: String?
    public var inStock: Bool?
    public var description: String?
    /// What holds for every picture of the product. Several values of one key are joined with `|`.
    public var attributes: [String: String]

    public init(
        id: String, title: String? = nil, category: String? = nil, brand: String? = nil, price: Double? = nil,
        currency: String? = nil, url: String? = nil, inStock: Bool? = nil, description: String? = nil,
        attributes: [String: String] = [:]
    ) {
        self.id = id
        self.title = title
        self.category = category
        self.brand = brand
        self.price = price
        self.currency = currency
        self.url = url
        self.inStock = inStock
        self.description = description
        self.attributes = attributes
    }
}

extension Product {
    /// Why an address can't be a product's `url`, in words; `nil` for an address of the web. A `javascript:` address that a page makes a link of
    /// would run in that page, so that `http` and `https` alone are kept, by whatever way a product comes in.
    public static func reasonAgainst(url: String) -> String? {
        let expected = "write one that begins with http:// or https://"
        guard !url.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
            return "an address holds no blanks and no line breaks; \(expected)"
        }
        guard let scheme = PictureFinder.scheme(of: url) ?? URL(string: url)?.scheme?.lowercased() else {
            return "it is no whole address; \(expected)"
        }
        guard scheme == "http" || scheme == "https" else { return "an address of the kind \(scheme): is not kept; \(expected)" }
        let authority = url.dropFirst(scheme.count + 3).prefix { !"/?#\\".contains($0) }
        guard url.dropFirst(scheme.count).hasPrefix("://"), !authority.isEmpty else { return "it names no host; \(expected)" }
        return nil
    }
}

/// One picture of a product.
public struct CatalogImage: Sendable, Hashable, Identifiable {
    /// Whether the picture can be used, as the last import found it.
    public enum State: Sendable, Hashable {
        case ok
        /// No file stood at `path`. Hash and vectors are kept, so that a file that comes back unchanged costs nothing.
        case missing(reason: String)
        /// The file is there and is no picture that can be read.
        case broken(reason: String)
    }

    public var id: ImageID
    public var productID: String
    /// Absolute path of the file.
    public var path: String
    /// `nil` as long as no byte of the file was ever read.
    public var contentHash: ContentHash?
    public var size: PictureSize?
    public var view: String?
    public var color: String?
    public var caption: String?
    /// `train`, `val`, `query` or `gallery`.
    public var split: String?
    /// What holds for this picture and not for every picture of its product.
    public var attributes: [String: String]
    public var state: State

    public init(
        id: ImageID, productID: String, path: String, contentHash: ContentHash?, size: PictureSize?, view: String?,
        color: String?,
        caption: String?, split: String?, attributes: [String: String], state: State
    ) {
        self.id = id
        self.productID = productID
        self.path = path
        self.contentHash = contentHash
        self.size = size
        self.view = view
        self.color = color
        self.caption = caption
        self.split = split
        self.attributes = attributes
        self.state = state
    }

    public var file: URL { URL(fileURLWithPath: path) }

    /// Where on the web the picture lies, for a copy of another catalogue's row; nil for a file of this machine.
    public var address: String? {
        guard path.hasPrefix("http://") || path.hasPrefix("https://") else { return nil }
        return path.lastIndex(of: "#").map { String(path[..<$0]) } ?? path
    }
}

/// Where a picture lies.
public struct ImagePlace: Sendable, Hashable {
    /// Absolute path of the file.
    public var path: String
    /// The folder where the relative paths of its source begin: the source itself, or the folder of its manifest.
    public var folder: String
}

/// Width and height of an upright picture, in pixels.
public struct PictureSize: Sendable, Hashable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// SHA-256 of a file's bytes: decides whether a picture is the one already known.
public struct ContentHash: Sendable, Hashable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hex: String

    public init(of bytes: some DataProtocol) {
        hex = SHA256.hexDigest(of: bytes)
    }

    init(hex: String) { self.hex = hex }

    /// - Returns: nil for a text that is no digest.
    public init?(checking hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        self.hex = hex
    }

    public var description: String { hex }
}

/// A model that has, or had, vectors in the catalogue.
public struct ModelRecord: Sendable, Hashable {
    /// Names weights and preprocessing together; vectors of different fingerprints never meet.
    public var fingerprint: String
    public var name: String
    /// Components of each vector.
    public var dimension: Int

    public init(fingerprint: String, name: String, dimension: Int) {
        self.fingerprint = fingerprint
        self.name = name
        self.dimension = dimension
    }
}

/// How much a catalogue holds.
public struct CatalogCounts: Sendable, Hashable {
    public var products: Int
    /// Every image, whatever its state.
    public var images: Int
    public var missing: Int
    public var broken: Int
    /// Vectors by model fingerprint, whatever the state of their images.
    public var vectors: [String: Int]

    /// Images that can be embedded and searched.
    public var usable: Int { images - missing - broken }
}
