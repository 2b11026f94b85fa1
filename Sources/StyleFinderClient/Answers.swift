// What the server answers; docs/api.md says what each value means. What a newer server adds is ignored.

/// A picture of the catalogue.
public struct Picture: Sendable, Codable, Equatable, Identifiable {
    public let id: Int64
    /// Its address at the server; with `?w=320` in one of a few widths.
    public let path: String
    public let view: String?
    public let color: String?
    public let caption: String?
}

/// What lists and results show of a product.
public struct ProductSummary: Sendable, Codable, Equatable, Identifiable {
    public let id: String
    public let title: String?
    public let category: String?
    public let brand: String?
    public let price: Double?
    public let currency: String?
    public let inStock: Bool?
    public let url: String?
    public let colors: [String]?
    public let image: Picture?
}

public struct ProductDetail: Sendable, Codable, Equatable, Identifiable {
    public let id: String
    public let title: String?
    public let category: String?
    public let brand: String?
    public let price: Double?
    public let currency: String?
    public let inStock: Bool?
    public let url: String?
    public let description: String?
    public let attributes: [String: String]
    public let images: [Picture]
}

/// The columns of a product that is put into the catalogue; what is nil is emptied.
public struct ProductColumns: Sendable, Codable, Equatable {
    public var title: String?
    public var category: String?
    public var brand: String?
    public var price: Double?
    public var currency: String?
    public var url: String?
    public var inStock: Bool?
    public var description: String?
    public var attributes: [String: String]?

    public init(
        title: String? = nil, category: String? = nil, brand: String? = nil, price: Double? = nil, currency: String? = nil,
        url: String? = nil, inStock: Bool? = nil, description: String? = nil, attributes: [String: String]? = nil
    ) {
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

public struct SearchAnswer: Sendable, Codable, Equatable {
    public struct Result: Sendable, Codable, Equatable {
        public struct Words: Sendable, Codable, Equatable {
            public let rank: Int
            public let matched: [String]
        }

        /// From 1.
        public let rank: Int
        /// Cosine similarity, -1…1.
        public let score: Double
        public let product: ProductSummary
        public let image: Picture
        /// In searches by text: the place by words, and the words that the product has.
        public let words: Words?
        public let vectorRank: Int?
    }

    public struct Color: Sendable, Codable, Equatable {
        public let name: String
        public let hex: String
        /// Of what is not background, 0…1.
        public let share: Double
        /// What narrows a search to it, where the catalogue has it.
        public let filter: String?
    }

    public let model: String
    public let results: [Result]
    /// Results below it are no close match; nil where that is not known.
    public let closeMatchScore: Double?
    public let truncatedText: Bool?
    public let unknownWords: [String]?
    public let queryColors: [Color]?
    /// Milliseconds by phase.
    public let timingMs: [String: Double]
}

public struct Suggestion: Sendable, Codable, Equatable {
    public let text: String
    /// category, brand, product, several, or an attribute's key.
    public let kind: String
    public let count: Int
    /// What narrows a search to it, where one clause does.
    public let filter: String?
    /// All clauses that narrow a search to it.
    public let filters: [String]?
    public let productId: String?
}

public struct ProductListing: Sendable, Codable, Equatable {
    public struct Value: Sendable, Codable, Equatable {
        public let value: String
        public let count: Int
    }

    public let total: Int
    public let products: [ProductSummary]
    /// Values with how many products have them, by key.
    public let facets: [String: [Value]]
}

public struct ModelListing: Sendable, Codable, Equatable {
    public struct Model: Sendable, Codable, Equatable, Identifiable {
        public let id: String
        public let architecture: String
        public let variant: String
        public let stage: String?
        public let embeddingSize: Int
        public let parameters: Int
        public let takesText: Bool
        public let fingerprint: String
        /// Pictures of the catalogue that it can find.
        public let images: Int
    }

    public let models: [Model]
    /// The one that answers where a query names none.
    public let `default`: String?
}
