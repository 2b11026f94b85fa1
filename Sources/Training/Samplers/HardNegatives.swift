public import Foundation

/// Which products a model takes for each other, as `mine` writes it: JSON Lines, one product a line with its hard negatives, the hardest first.
///
///     {"product_id":"A","negatives":[{"product_id":"B","score":0.91},…]}
public struct HardNegatives: Sendable, Equatable {
    public struct Negative: Codable, Sendable, Equatable {
        public var productID: String
        /// Cosine of the two products' nearest pictures, −1…1.
        public var score: Float

        public init(productID: String, score: Float) {
            self.productID = productID
            self.score = score
        }

        enum CodingKeys: String, CodingKey {
            case productID = "product_id"
            case score
        }
    }

    public struct Line: Codable, Sendable, Equatable {
        public var productID: String
        public var negatives: [Negative]

        public init(productID: String, negatives: [Negative]) {
            self.productID = productID
            self.negatives = negatives
        }

        enum CodingKeys: String, CodingKey {
            case productID = "product_id"
            case negatives
        }
    }

    public var lines: [Line]

    public init(lines: [Line]) { self.lines = lines }

    /// - Throws: `.unreadableNegatives` naming the line.
    public init(path: String) throws(TrainingError) {
        guard let text = FileManager.default.contents(atPath: path) else {
            throw .unreadableNegatives(path: path, line: nil, reason: "there is no such file; `stylefinder mine` writes it")
        }
        lines = []
        for (number, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard let read = try? JSONDecoder().decode(Line.self, from: line) else {
                throw .unreadableNegatives(
                    path: path, line: number + 1,
                    reason: #"expected {"product_id": …, "negatives": [{"product_id": …, "score": …}, …]}"#)
            }
            lines.append(read)
        }
    }

    public var jsonLines: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try lines.reduce(into: Data()) { data, line in
                data.append(try encoder.encode(line))
                data.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// By number of an item, the numbers of its negatives. An id that several data folders have stands for the item of the first of them.
    func items(of data: TrainingData) -> [Int: [Int]] {
        let numbers = Dictionary(data.productIDs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return Dictionary(
            lines.compactMap { line in numbers[line.productID].map { ($0, line.negatives.compactMap { numbers[$0.productID] }) }
            },
            uniquingKeysWith: { first, _ in first })
    }
}
