import Catalog
import Foundation
import Imaging
import Search

/// A question of `search --batch`: the names of the HTTP API's, with paths where that has uploads.
private struct BatchLine: Decodable {
    /// One value, or a list of them.
    struct List<Element: Decodable>: Decodable {
        let values: [Element]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let one = try? container.decode(Element.self) {
                values = [one]
            } else {
                values = try container.decode([Element].self)
            }
        }
    }

    var id: String?
    var image: List<String>?
    var text: List<String>?
    var product_id: List<String>?
    var image_id: List<Int64>?
    var not_image: List<String>?
    var not_text: List<String>?
    var not_product_id: List<String>?
    var not_image_id: List<Int64>?
    var crop: List<String>?
    var filter: List<String>?
    var liked: List<String>?
    var disliked: List<String>?
    var sort: String?
    var diversity: Double?
    var group_by: String?
    var min_score: Double?
    var k: Int?

    static let keys: Set = [
        "id", "image", "text", "product_id", "image_id", "not_image", "not_text", "not_product_id", "not_image_id", "crop",
        "filter",
        "liked", "disliked", "sort", "diversity", "group_by", "min_score", "k",
    ]
}

/// An answer of `search --batch`: what `search --json` prints, under the line's own `id`, or why there is none.
private struct BatchAnswer: Encodable {
    var line: Int
    var id: String?
    var error: String?
    var response: SearchResponse?

    private enum CodingKeys: String, CodingKey { case line, id, error }

    func encode(to encoder: any Encoder) throws {
        try response?.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(line, forKey: .line)
        try values.encodeIfPresent(id, forKey: .id)
        try values.encodeIfPresent(error, forKey: .error)
    }
}

extension SearchCommand {
    /// Answers each line of a file with one line on standard output; a line that can't be answered says why, and the others go on.
    /// - Throws: `Failure` for a file that can't be read, and at the end where a line had no answer.
    func answer(batch path: String) async throws {
        guard path == "-" || FileManager.default.isReadableFile(atPath: path) else {
            throw Failure.noInput("There is no \(path) that can be read; --batch takes a file with a JSON object in each line.")
        }
        let (engine, _) = try engine()
        // Line by line, whatever its length: from here on standard input is the file.
        if path != "-" {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0, dup2(file, STDIN_FILENO) >= 0 else { throw Failure.noInput("\(path) can't be opened.") }
            close(file)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var (number, failed) = (0, 0)
        while let text = readLine() {
            number += 1
            if text.allSatisfy(\.isWhitespace) { continue }
            var answer = BatchAnswer(line: number)
            do {
                let line = try Self.read(text)
                answer.id = line.id
                answer.response = try await engine.search(query(line))
            } catch {
                failed += 1
                answer.error = "\(error)"
            }
            print(String(decoding: try encoder.encode(answer), as: UTF8.self))
        }
        if failed > 0 {
            throw Failure(description: "\(failed) of \(number) lines of \(path) have no answer; each says why.", code: .badData)
        }
    }

    private static func read(_ text: String) throws -> BatchLine {
        let data = Data(text.utf8)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Failure(description: "The line is no JSON object.", code: .badData)
        }
        if let wrong = object.keys.sorted().first(where: { !BatchLine.keys.contains($0) }) {
            throw Failure(
                description: "There is no key \(wrong); there are \(BatchLine.keys.sorted().joined(separator: ", ")).",
                code: .badData)
        }
        do { return try JSONDecoder().decode(BatchLine.self, from: data) } catch let error as DecodingError {
            let key =
                switch error {
                case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                    context.codingPath.first
                case .keyNotFound(let key, _): key
                @unknown default: nil
                } as (any CodingKey)?
            throw Failure(
                description: "The value of \(key?.stringValue ?? "a key") is of another type than it should be.", code: .badData)
        }
    }

    private func query(_ line: BatchLine) throws -> SearchQuery {
        var terms: [SearchQuery.Term] = []
        var crops = (line.crop?.values ?? [])[...]
        for path in line.image?.values ?? [] {
            let picture = try picture(path)
            guard let text = crops.popFirst() else {
                terms.append(.init(.image(picture)))
                continue
            }
            guard let region = PictureRegion(text) else {
                throw Failure(
                    description: "crop is \(text), expected x,y,width,height in fractions of the picture.", code: .badData)
            }
            terms.append(.init(.image(picture.cropped(to: region))))
        }
        if !crops.isEmpty { throw Failure(description: "There are more crops than pictures.", code: .badData) }
        for text in line.text?.values ?? [] { terms.append(.init(.text(text))) }
        for id in line.product_id?.values ?? [] { terms.append(.init(.product(id))) }
        for id in line.image_id?.values ?? [] { terms.append(.init(.catalogImage(id))) }
        let weight = -Self.unwantedWeight
        for path in line.not_image?.values ?? [] { terms.append(.init(.image(try picture(path)), weight: weight)) }
        for text in line.not_text?.values ?? [] { terms.append(.init(.text(text), weight: weight)) }
        for id in line.not_product_id?.values ?? [] { terms.append(.init(.product(id), weight: weight)) }
        for id in line.not_image_id?.values ?? [] { terms.append(.init(.catalogImage(id), weight: weight)) }

        var query = try options(terms)
        if let filter = line.filter { query.filter = try CatalogFilter(filter.values) }
        query.limit = line.k ?? query.limit
        query.minimumScore = line.min_score ?? query.minimumScore
        query.diversity = line.diversity ?? query.diversity
        query.sorting = try Self.choice(line.sort, "sort") ?? query.sorting
        query.grouping = try Self.choice(line.group_by, "group_by") ?? query.grouping
        (query.liked, query.disliked) = (line.liked?.values ?? [], line.disliked?.values ?? [])
        return query
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String?, _ name: String) throws -> Choice?
    {
        guard let text else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw Failure(
                description: "\(name) is \(text), expected \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).",
                code: .badData)
        }
        return choice
    }
}
