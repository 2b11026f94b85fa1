import Foundation

/// The files that one kind of model folder consists of, by name. Who reads such folders says what they are.
public struct FolderLayout: Sendable, Equatable {
    /// The file that tells this kind from others; always needed.
    public var configuration: String
    /// Of these the first that is there; a name that ends in `.index.json` brings its shards.
    public var weights: [String]
    /// Of these the first that is there, if any is.
    public var preparation: [String]
    /// Of these sets the first that is there as a whole, if any is.
    public var vocabularies: [[String]]
    /// Taken where they are there.
    public var additions: [String]

    public init(
        configuration: String, weights: [String], preparation: [String], vocabularies: [[String]], additions: [String] = []
    ) {
        self.configuration = configuration
        self.weights = weights
        self.preparation = preparation
        self.vocabularies = vocabularies
        self.additions = additions
    }

    /// What is needed of a repository for the first kind that it holds; nil if it holds none.
    /// - Parameter layouts: in the reader's own order of preference.
    static func chosen(of layouts: [FolderLayout], in listing: Listing) -> (files: [ListedFile], index: ListedFile?)? {
        for layout in layouts {
            guard let configuration = listing[layout.configuration],
                let weights = layout.weights.lazy.compactMap({ listing[$0] }).first
            else { continue }
            // Small ones first: what is wrong with them is known before the large ones come.
            var files = [configuration]
            files += layout.preparation.lazy.compactMap { listing[$0] }.prefix(1)
            let sets = layout.vocabularies.lazy.map { $0.compactMap { listing[$0] } }
            files += zip(layout.vocabularies, sets).first { $0.count == $1.count }?.1 ?? []
            files += layout.additions.compactMap { listing[$0] }
            files.append(weights)
            return (files, weights.name.hasSuffix(".index.json") ? weights : nil)
        }
        return nil
    }

    /// The shards that an index names.
    /// - Throws: ``HubError``: the index is none, names a file that the hub does not list, or one that could lie elsewhere.
    static func shards(_ index: Data, named file: String, in listing: Listing, of name: String) throws(HubError) -> [ListedFile] {
        struct Index: Decodable { let weight_map: [String: String] }
        guard let map = try? JSONDecoder().decode(Index.self, from: index).weight_map, !map.isEmpty else {
            throw .badAnswer(place: "\(name), \(file)", reason: "it is no index of shards, an object with a weight_map")
        }
        let names = Set(map.values).sorted()
        guard names.count <= 4096 else { throw .badAnswer(place: "\(name), \(file)", reason: "it names \(names.count) shards") }
        var shards: [ListedFile] = []
        for shard in names {
            guard FileName.isPlain(shard), !shard.hasPrefix(".") else { throw .oddFileName(name: name, file: shard) }
            guard let listed = listing[shard] else {
                throw .badAnswer(place: "\(name), \(file)", reason: "it names the shard \(shard), which the hub does not list")
            }
            shards.append(listed)
        }
        return shards
    }
}
