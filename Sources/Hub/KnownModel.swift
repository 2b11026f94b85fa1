/// A model that many use, under a short name of ours.
public struct KnownModel: Sendable {
    public let name: String
    public let repository: Repository
    public let architecture: String
    /// What its owner says, here or in the repository of the code that it came with; the hub's own statement comes first.
    public let licence: String
    /// About how many bytes its weights have: its parameters in float32.
    public let size: Int

    public static let all: [KnownModel] = [
        KnownModel("openai-vit-b-32", "openai", "clip-vit-base-patch32", "ViT-B/32", "mit", megabytes: 605),
        KnownModel("openai-vit-b-16", "openai", "clip-vit-base-patch16", "ViT-B/16", "mit", megabytes: 599),
        KnownModel("openai-vit-l-14", "openai", "clip-vit-large-patch14", "ViT-L/14", "mit", megabytes: 1_711),
        KnownModel("openai-rn50", "timm", "resnet50_clip.openai", "RN50", "mit", megabytes: 408),
        KnownModel("openai-rn101", "timm", "resnet101_clip.openai", "RN101", "mit", megabytes: 479),
        KnownModel("laion-vit-b-32", "laion", "CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B/32", "mit", megabytes: 605),
        KnownModel("laion-vit-b-16", "laion", "CLIP-ViT-B-16-laion2B-s34B-b88K", "ViT-B/16", "mit", megabytes: 599),
        KnownModel("fashion-clip", "patrickjohncyh", "fashion-clip", "ViT-B/32", "mit", megabytes: 605),
        KnownModel("marqo-fashion-clip", "Marqo", "marqo-fashionCLIP", "ViT-B/16", "apache-2.0", megabytes: 599),
        KnownModel("marqo-fashion-siglip", "Marqo", "marqo-fashionSigLIP", "SigLIP ViT-B/16", "apache-2.0", megabytes: 813),
    ].compactMap { $0 }

    private init?(
        _ name: String, _ owner: String, _ repository: String, _ architecture: String, _ licence: String, megabytes: Int
    ) {
        guard let place = try? Repository(owner: owner, name: repository) else { return nil }
        self.name = name
        self.repository = place
        self.architecture = architecture
        self.licence = licence
        size = megabytes * 1_000_000
    }

    static func named(_ text: String) -> KnownModel? { all.first { $0.name == text.lowercased() } }

    static func of(_ repository: Repository) -> KnownModel? { all.first { $0.repository.path == repository.path } }

    /// At most three names, short or whole, that differ from a text by little; the nearest first.
    public static func near(_ text: String) -> [String] {
        let wanted = Array(text.lowercased())
        let names = all.flatMap { known -> [(shown: String, compared: String)] in
            [
                (known.name, known.name), (known.repository.path, known.repository.path.lowercased()),
                (known.repository.path, known.repository.name.lowercased()),
            ]
        }
        let found = names.map { (shown: $0.shown, distance: distance(wanted, Array($0.compared))) }
            .filter { $0.distance <= max(2, wanted.count / 4) }
            .sorted { ($0.distance, $0.shown) < ($1.distance, $1.shown) }
        var shown: [String] = []
        for name in found.map(\.shown) where !shown.contains(name) { shown.append(name) }
        return Array(shown.prefix(3))
    }

    /// How many characters have to be put in, left out or exchanged (Levenshtein 1966).
    static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var row = Array(0...second.count)
        for (place, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for column in second.indices {
                let exchanged = diagonal + (character == second[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(exchanged, row[column] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
