/// Under what terms a model is given, as its page at the hub says it.
public struct Licence: Sendable, Equatable {
    /// The hub's word for it, such as `mit` or `cc-by-nc-4.0`; with `other`, the name that its owner gives it.
    public let name: String

    public init(name: String) { self.name = name }

    /// Whether the terms leave out commercial use. Names are all that is looked at: false is no promise.
    public var forbidsCommercialUse: Bool {
        let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let joined = words.joined(separator: " ")
        return words.contains("nc") || words.contains("noncommercial") || joined.contains("non commercial")
            || joined.contains("research only") || Self.research.contains(name.lowercased())
    }

    /// Licences for research alone whose names do not say it.
    private static let research: Set<String> = ["apple-amlr", "deepfloyd-if-license"]
}
