import Foundation

/// How far what is shown first differs from the gallery in an attribute, such as colour or brand.
///
/// Notation of Geyik, Ambler and Kenthapadi 2019 (arXiv:1905.01989): τ_r is the ranking of a query, p_{τ_r^k,r,a} the share of value a among
/// its first k, and the desired share p_{q,r,a} is here the share among the gallery.
public struct AttributeSkew: Codable, Sendable, Equatable {
    public var attribute: String
    /// Mean over queries of the normalised discounted cumulative KL divergence of the first results:
    /// NDKL = (1/Z) Σ_{i=1…k} d_KL(D_{τ^i} ‖ D_r) / log2(i + 1), Z = Σ_{i=1…k} 1 / log2(i + 1), with natural logarithms in
    /// d_KL(D_1 ‖ D_2) = Σ_a D_1(a) ln(D_1(a) / D_2(a)). 0 where every prefix has the gallery's shares. Results of one kind are what a
    /// query asks for, so it is no fault by itself; compare it between models.
    public var ndkl: Double
    /// The value with the largest share of the gallery first.
    public var values: [Share]

    public struct Share: Codable, Sendable, Equatable {
        public var value: String
        /// Share of the gallery, 0…1.
        public var gallery: Double
        /// Share of all first results of all queries, 0…1.
        public var first: Double
        /// ln(first / gallery), skew@k of the pooled first results: above 0 where the value is shown more often than the gallery
        /// has it; nil where it is never shown.
        public var skew: Double?
    }

    /// - Parameters:
    ///   - first: by query, the values of the first results, best first; a query without results counts for nothing.
    ///   - gallery: the value of every candidate; every value of `first` is among them.
    public init(attribute: String, first: [[String]], gallery: [String]) {
        var numbers: [String: Int] = [:]
        var counts: [Int] = []
        for value in gallery {
            let number = numbers[value, default: counts.count]
            if number == counts.count { counts.append(0) }
            numbers[value] = number
            counts[number] += 1
        }
        let desired = counts.map { Double($0) / Double(gallery.count) }
        let ranked = first.filter { !$0.isEmpty }.map { $0.compactMap { numbers[$0] } }
        var shown = [Int](repeating: 0, count: counts.count)
        for value in ranked.joined() { shown[value] += 1 }
        let total = Double(max(1, shown.reduce(0, +)))
        self.attribute = attribute
        ndkl = ranked.isEmpty ? 0 : ranked.reduce(0) { $0 + Self.ndkl($1, desired) } / Double(ranked.count)
        values = numbers.sorted {
            desired[$0.value] != desired[$1.value] ? desired[$0.value] > desired[$1.value] : $0.key < $1.key
        }
        .map { value, number in
            let share = Double(shown[number]) / total
            return Share(
                value: value, gallery: desired[number], first: share, skew: share > 0 ? log(share / desired[number]) : nil)
        }
    }

    /// NDKL of one ranking.
    /// - Parameters: ranked: numbers of values, best first, not empty; desired: the share of each, positive for those of `ranked`.
    static func ndkl(_ ranked: [Int], _ desired: [Double]) -> Double {
        // In the order in which the values come, so that equal rankings have equal figures.
        var counts: [(value: Int, count: Double)] = []
        var (sum, normalizer) = (0.0, 0.0)
        for (place, value) in ranked.enumerated() {
            if let known = counts.firstIndex(where: { $0.value == value }) {
                counts[known].count += 1
            } else {
                counts.append((value, 1))
            }
            let length = Double(place + 1)
            let divergence = counts.reduce(0.0) { sum, entry in
                let share = entry.count / length
                return sum + share * log(share / desired[entry.value])
            }
            let discount = 1 / log2(length + 1)
            sum += divergence * discount
            normalizer += discount
        }
        return sum / normalizer
    }
}
