import Catalog
import Retrieval

/// A way to cut an evaluation into parts.
public struct Slicing: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// Queries by their value in a column.
        case column(String)
        /// Queries by their value in a column together with the value of what they find: the positives of other values are left out.
        case pair(String)
        /// Positives with the query's value in a column, and those with another.
        case same(String)
        /// Queries by how many positives they have.
        case positives
    }

    public let name: String
    let kind: Kind

    /// What is cut where nobody says anything: as far as the rows have more than one value in the column.
    public static let standard = ["category", "gender", "color", "view-pair", "same-color", "positives"]

    /// - Parameter name: a column, `COLUMN-pair`, `same-COLUMN` or `positives`; a column of just that name comes first.
    /// - Throws: `.unknownSlice`.
    public init(_ name: String, of plan: EvaluationPlan) throws(EvaluationError) {
        func hasColumn(_ column: some StringProtocol) -> Bool { plan.rows.contains { $0[String(column)] != nil } }
        self.name = name
        if hasColumn(name) {
            kind = .column(name)
        } else if name == "positives" {
            kind = .positives
        } else if name.hasSuffix("-pair"), hasColumn(name.dropLast(5)) {
            kind = .pair(String(name.dropLast(5)))
        } else if name.hasPrefix("same-"), hasColumn(name.dropFirst(5)) {
            kind = .same(String(name.dropFirst(5)))
        } else {
            throw .unknownSlice(source: plan.source, slice: name, columns: plan.columns)
        }
    }

    /// Those of `standard` that tell something about a plan's queries.
    public static func standard(of plan: EvaluationPlan) -> [Slicing] {
        standard.compactMap { name in
            guard let slicing = try? Slicing(name, of: plan) else { return nil }
            switch slicing.kind {
            case .column(let column), .pair(let column), .same(let column):
                return Set(plan.rows.compactMap { $0[column] }).count > 1 ? slicing : nil
            case .positives: return slicing
            }
        }
    }

    var definition: String {
        switch kind {
        case .column(let column): "queries by their \(column)"
        case .pair(let column):
            "queries by their \(column), and what is relevant by its own: relevant candidates of another \(column) are left out of the ranking"
        case .same(let column):
            "what is relevant by whether it has the query's \(column): the other relevant candidates are left out of the ranking"
        case .positives: "queries by how many relevant candidates they have"
        }
    }

    /// - Parameter ranked: one for each query of the plan.
    func report(_ plan: EvaluationPlan, _ ranked: [RankedQuery]) -> SliceReport {
        // By part, the rankings in it and their queries' places.
        var parts: [String: [(ranking: Ranking, query: Int)]] = [:]
        for (place, query) in ranked.enumerated() {
            let row = plan.rows[plan.queries[place]]
            switch kind {
            case .column(let column):
                if let value = row[column] { parts[value, default: []].append((query.ranking, place)) }
            case .positives:
                if let range = Self.range(of: query.ranking.relevantCount) {
                    parts[range, default: []].append((query.ranking, place))
                }
            case .pair(let column):
                guard let own = row[column] else { continue }
                for other in Set(query.relevantRows.compactMap { plan.rows[$0][column] }) {
                    let ranking = query.ranking { plan.rows[$0][column] == other }
                    parts["\(own) → \(other)", default: []].append((ranking, place))
                }
            case .same(let column):
                guard let own = row[column] else { continue }
                for (name, isSame) in [("same \(column)", true), ("other \(column)", false)] {
                    let ranking = query.ranking { plan.rows[$0][column].map { ($0 == own) == isSame } ?? false }
                    parts[name, default: []].append((ranking, place))
                }
            }
        }
        let values = parts.compactMap { name, entries in
            SliceReport.Part(
                value: name, rankings: entries.map(\.ranking),
                products: entries.map { plan.rows[plan.queries[$0.query]].productID })
        }
        return SliceReport(slice: name, definition: definition, values: values.sorted(by: isBefore))
    }

    private func isBefore(_ a: SliceReport.Part, _ b: SliceReport.Part) -> Bool {
        if kind == .positives { return Self.ranges.firstIndex(of: a.value) ?? 0 < Self.ranges.firstIndex(of: b.value) ?? 0 }
        return a.queries != b.queries ? a.queries > b.queries : a.value < b.value
    }

    private static let ranges = ["1", "2", "3–4", "5–9", "10 or more"]

    private static func range(of count: Int) -> String? {
        switch count {
        case 0: nil
        case 1: ranges[0]
        case 2: ranges[1]
        case 3...4: ranges[2]
        case 5...9: ranges[3]
        default: ranges[4]
        }
    }
}
