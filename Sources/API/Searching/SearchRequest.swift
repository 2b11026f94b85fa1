import Catalog
import Foundation
import Imaging
import Search

/// What a request asks to be searched, read and checked, with its pictures still as bytes.
struct SearchRequest {
    /// One term, before its picture is decoded.
    struct Term {
        enum Subject {
            case upload(ArraySlice<UInt8>)
            case text(String)
            case product(String)
            case image(ImageID)
        }

        var subject: Subject
        var weight: Double
        var region: PictureRegion?
    }

    var terms: [Term]
    /// Everything but the terms.
    var query: SearchQuery

    /// Whether a picture has to be decoded for it.
    var decodes: Bool {
        terms.contains { term in
            switch term.subject {
            case .upload: true
            case .image: term.region != nil
            case .text, .product: false
            }
        }
    }

    static let options = [
        "model", "top_k", "filter", "group_by", "min_score", "by", "sort", "diversity", "boost", "liked", "disliked",
    ]
    /// In the order in which `weights` counts them.
    private static let wanted = ["image", "text", "product_id", "image_id"]
    private static let unwanted = wanted.map { "not_" + $0 }
    static let names = RequestFields.Names(
        wanted + unwanted + ["terms", "weights", "crop"] + options, files: ["image", "not_image"], objects: ["terms"],
        blank: ["crop"])

    /// What is not wanted counts half: a subtraction of as much as was added would leave what both have in common to chance.
    private static let unwantedWeight = 0.5
    private static let pictureLimit = 8

    /// - Throws: `APIError` 400 for what is wrong with the parameters, `.unknownImage`.
    init(_ fields: RequestFields) throws {
        query = try Self.query(fields)
        terms = []
        var pictures = 0
        for (names, weight) in [(Self.wanted, 1.0), (Self.unwanted, -Self.unwantedWeight)] {
            for name in names {
                if Self.names.files.contains(name) {
                    for file in fields.files where file.name == name {
                        terms.append(Term(subject: .upload(file.bytes), weight: weight))
                        pictures += 1
                    }
                }
                for value in fields.all(name) { terms.append(Term(subject: try Self.subject(name, value), weight: weight)) }
            }
        }
        try Self.take(weights: fields.one("weights"), into: &terms)
        try Self.take(crops: fields.all("crop"), into: &terms)
        for object in fields.objects["terms"] ?? [] { terms.append(try Self.term(object)) }
        guard pictures <= Self.pictureLimit else {
            throw APIError.wrongParameter("The form has \(pictures) pictures, at most \(Self.pictureLimit) are taken.")
        }
        guard !terms.isEmpty || !query.liked.isEmpty else {
            throw APIError.wrongParameter(
                "A search takes at least one of \(Self.wanted.joined(separator: ", ")) and terms; none is given.")
        }
        // Said before a picture is decoded; what stands for it here is not looked at.
        try SearchQuery.check(weights: terms.map(\.weight), liked: query.liked.count)
    }

    private static func subject(_ name: String, _ value: String) throws(APIError) -> Term.Subject {
        if name.hasSuffix("text") { return .text(value) }
        if name.hasSuffix("product_id") { return .product(value) }
        guard let number = ImageID(value) else { throw .unknownImage(value) }
        return .image(number)
    }

    private static func take(weights text: String?, into terms: inout [Term]) throws(APIError) {
        guard let text else { return }
        let weights = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Double(part.trimmingCharacters(in: .whitespaces))
        }
        guard weights.count == terms.count else {
            throw .wrongParameter("weights has \(weights.count) numbers for \(terms.count) terms, expected one for each.")
        }
        for (place, weight) in weights.enumerated() {
            guard let weight, weight > 0, weight <= SearchQuery.weightLimit else {
                throw .wrongParameter(
                    "weights is \(APIError.quoted(text)), expected numbers above 0 and up to \(Int(SearchQuery.weightLimit)) with commas between."
                )
            }
            terms[place].weight = terms[place].weight < 0 ? -weight : weight
        }
    }

    private static func take(crops: [String], into terms: inout [Term]) throws(APIError) {
        let pictures = terms.indices.filter { place in
            switch terms[place].subject {
            case .upload, .image: terms[place].weight > 0
            case .text, .product: false
            }
        }
        guard crops.count <= pictures.count else {
            throw .wrongParameter("crop is given \(crops.count) times for \(pictures.count) pictures.")
        }
        for (place, crop) in zip(pictures, crops) where !crop.isEmpty { terms[place].region = try region(crop) }
    }

    static func region(_ text: String) throws(APIError) -> PictureRegion {
        guard let region = PictureRegion(text) else {
            throw .wrongParameter(
                "crop is \(APIError.quoted(text)), expected x,y,width,height in fractions of the picture, within 0 and 1.")
        }
        return region
    }

    /// One of `terms` in JSON.
    private static func term(_ object: [String: String]) throws(APIError) -> Term {
        let known = ["text", "product_id", "image_id", "crop", "weight"]
        if let wrong = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw .wrongParameter("A term has \(APIError.quoted(wrong)); there are \(known.joined(separator: ", ")).")
        }
        let subjects = known.prefix(3).filter { object[$0] != nil }
        guard subjects.count == 1, let name = subjects.first, let value = object[name] else {
            throw .wrongParameter("A term has one of text, product_id and image_id, found \(subjects.count).")
        }
        var term = Term(subject: try subject(name, value), weight: 1)
        if let text = object["weight"] {
            guard let weight = Double(text), weight != 0, abs(weight) <= SearchQuery.weightLimit else {
                throw .wrongParameter(
                    "The weight of a term is \(APIError.quoted(text)), expected a number from -10 to 10 that is not 0.")
            }
            term.weight = weight
        }
        if let text = object["crop"] {
            guard name == "image_id" else { throw .wrongParameter("A crop belongs to an image_id, not to a \(name).") }
            term.region = try region(text)
        }
        return term
    }

    static func query(_ fields: RequestFields) throws -> SearchQuery {
        var query = SearchQuery(
            [], limit: try fields.integer("top_k", in: SearchQuery.limits, default: 10),
            filter: try CatalogFilter(fields.all("filter")), minimumScore: try fields.number("min_score", in: -1...1))
        query.grouping = try choice(fields, "group_by", default: .product)
        query.basis = try choice(fields, "by", default: .both)
        query.sorting = try choice(fields, "sort", default: .relevance)
        query.diversity = try fields.number("diversity", in: 0...1) ?? 0
        query.boosts = try fields.all("boost").map(boost)
        (query.liked, query.disliked) = (fields.all("liked"), fields.all("disliked"))
        return query
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ fields: RequestFields, _ name: String, default value: Choice
    ) throws(APIError) -> Choice {
        guard let text = try fields.one(name) else { return value }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue)
            let words = "\(known.dropLast().joined(separator: ", ")) or \(known.last ?? "")"
            throw .wrongParameter("\(name) is \(APIError.quoted(text)), expected \(words).")
        }
        return choice
    }

    /// `key:value`, or `key:value^0.1`.
    private static func boost(_ text: String) throws -> SearchQuery.Boost {
        let parts = text.split(separator: "^", omittingEmptySubsequences: false)
        let weight = parts.count > 1 ? parts.last.flatMap { Double($0) } : SearchQuery.Boost.standardWeight
        guard parts.count <= 2, let weight, SearchQuery.Boost.weights.contains(weight),
            let clause = try CatalogFilter([String(parts.first ?? "")]).clauses.first
        else {
            throw APIError.wrongParameter(
                "boost is \(APIError.quoted(text)), expected key:value or key:value^weight, the weight from 0.01 to 1.")
        }
        return SearchQuery.Boost(clause, weight: weight)
    }
}
