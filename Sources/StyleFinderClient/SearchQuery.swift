public import Foundation

/// What is searched for: terms that are added up, terms that are taken off, and how the answer is made.
public struct SearchQuery: Sendable {
    /// Files of pictures: JPEG, PNG, WebP, GIF, and what else the server reads.
    public var images: [Data]
    public var text: [String]
    public var productIDs: [String]
    public var imageIDs: [Int64]
    /// What results should be less like.
    public var notImages: [Data]
    public var notText: [String]
    public var notProductIDs: [String]
    /// `x,y,width,height` in fractions, for the first picture and so on; an empty one is the whole picture.
    public var crops: [String]
    /// Products of earlier answers that the next one should move to, and away from.
    public var liked: [String]
    public var disliked: [String]
    /// `key:value`, or `price:10..50`.
    public var filters: [String]
    /// Where left out, the server's default.
    public var model: String?
    /// Results, 1…200.
    public var count: Int
    /// relevance, price, -price, newest or stock.
    public var sort: String?
    /// 0…1.
    public var diversity: Double?
    /// -1…1.
    public var minimumScore: Double?

    public init(
        images: [Data] = [], text: [String] = [], productIDs: [String] = [], imageIDs: [Int64] = [], notImages: [Data] = [],
        notText: [String] = [], notProductIDs: [String] = [], crops: [String] = [], liked: [String] = [], disliked: [String] = [],
        filters: [String] = [], model: String? = nil, count: Int = 10, sort: String? = nil, diversity: Double? = nil,
        minimumScore: Double? = nil
    ) {
        self.images = images
        self.text = text
        self.productIDs = productIDs
        self.imageIDs = imageIDs
        self.notImages = notImages
        self.notText = notText
        self.notProductIDs = notProductIDs
        self.crops = crops
        self.liked = liked
        self.disliked = disliked
        self.filters = filters
        self.model = model
        self.count = count
        self.sort = sort
        self.diversity = diversity
        self.minimumScore = minimumScore
    }

    /// Everything but pictures, in the names of the API.
    private var fields: [(name: String, values: [String])] {
        [
            ("text", text), ("product_id", productIDs), ("image_id", imageIDs.map(String.init)), ("not_text", notText),
            ("not_product_id", notProductIDs), ("crop", crops), ("liked", liked), ("disliked", disliked), ("filter", filters),
            ("model", model.map { [$0] } ?? []), ("top_k", [String(count)]), ("sort", sort.map { [$0] } ?? []),
            ("diversity", diversity.map { [String($0)] } ?? []), ("min_score", minimumScore.map { [String($0)] } ?? []),
        ].filter { !$0.1.isEmpty }
    }

    var form: MultipartBody {
        var form = MultipartBody()
        for image in images { form.add(file: "image", image) }
        for image in notImages { form.add(file: "not_image", image) }
        for (name, values) in fields { for value in values { form.add(name, value) } }
        return form
    }

    /// One JSON object without a line break.
    var json: Data {
        get throws {
            try StyleFinderClient.encoder.encode(Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.values) }))
        }
    }
}

/// A body of `multipart/form-data` (RFC 7578).
struct MultipartBody {
    private let boundary = "stylefinder-\(UUID().uuidString)"
    private var bytes = Data()

    var type: String { "multipart/form-data; boundary=\(boundary)" }
    var body: Data { bytes + Data("--\(boundary)--\r\n".utf8) }

    mutating func add(_ name: String, _ value: String) { add(name, Data(value.utf8), more: "") }

    mutating func add(file name: String, _ content: Data) {
        add(name, content, more: "; filename=\"picture\"\r\nContent-Type: application/octet-stream")
    }

    private mutating func add(_ name: String, _ value: Data, more: String) {
        bytes += Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n".utf8)
        bytes += value + Data("\r\n".utf8)
    }
}
