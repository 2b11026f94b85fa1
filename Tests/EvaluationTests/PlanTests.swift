import Catalog
import Evaluation
import Testing

@Suite("the plan of an evaluation")
struct PlanTests {
    private func plan(_ selection: EvaluationPlan.Selection, splits: Bool = true) throws -> EvaluationPlan {
        let boutique = try Boutique(
            (0..<8).map { row in
                var columns = ["product_id": "P\(row / 2)", "view": row % 2 == 0 ? "front" : "back", "kind": row < 4 ? "a" : "b"]
                if splits { columns["split"] = ["query", "gallery", "gallery", "val", "val", "train", "query", "gallery"][row] }
                return columns
            })
        return try EvaluationPlan(boutique.dataset(), selection)
    }

    @Test("queries and gallery are chosen by split, by column, or are all the same rows")
    func choices() throws {
        let test = try plan(.init())
        #expect(test.rows.map(\.image) == ["0.png", "1.png", "2.png", "6.png", "7.png"])
        #expect(test.queries == [0, 3] && test.gallery == [1, 2, 4])
        #expect(test.labels == ["P0", "P0", "P1", "P3", "P3"])
        let all = try plan(.init(leaveOneOut: true))
        #expect(all.queries == [0, 1, 2, 3, 4] && all.gallery == all.queries)
        let views = try plan(.init(query: "view=back", gallery: "view=front"))
        #expect(views.queries == [1, 4] && views.gallery == [0, 2, 3])
        let backs = try plan(.init(query: "view=back"))
        #expect(backs.queries == [1, 4] && backs.gallery == [0, 1, 2, 3, 4])
        let fronts = try plan(.init(gallery: "view=front"))
        #expect(fronts.queries == [0, 1, 2, 3, 4] && fronts.gallery == [0, 2, 3])
        let kinds = try plan(.init(leaveOneOut: true, relevantBy: "kind"))
        #expect(kinds.labels == ["a", "a", "a", "b", "b"] && kinds.relevantBy == "kind")
        let plain = try plan(.init(), splits: false)
        #expect(plain.queries == Array(0..<8) && plain.gallery == plain.queries)
    }

    @Test("what can't be measured is refused with what would be right")
    func refusals() throws {
        func refusal(_ selection: EvaluationPlan.Selection, splits: Bool = true) -> EvaluationError? {
            #expect(throws: EvaluationError.self) { try plan(selection, splits: splits) }
        }
        guard case .nothingRelevant(_, "product_id", _) = refusal(.init(split: .val)) else {
            Issue.record("val holds two different products")
            return
        }
        guard case .noMatch(_, "view=side") = refusal(.init(query: "view=side")) else {
            Issue.record("no row has that view")
            return
        }
        #expect(refusal(.init(query: "side")) == .notAChoice("side"))
        guard case .noColumn(_, "brand", let columns) = refusal(.init(relevantBy: "brand")) else {
            Issue.record("there is no such column")
            return
        }
        #expect(columns == ["image", "kind", "product_id", "split", "view"])
    }

    @Test("without some rows the others keep their order and get new numbers")
    func without() throws {
        let test = try plan(.init())
        let (rest, kept) = try test.without([0, 2])
        #expect(kept == [1, 3, 4] && rest.rows.map(\.image) == ["1.png", "6.png", "7.png"])
        #expect(rest.queries == [1] && rest.gallery == [0, 2] && rest.labels == ["P0", "P3", "P3"])
        #expect(throws: EvaluationError.self) { _ = try test.without([0, 3]) }
        #expect(throws: EvaluationError.self) { _ = try test.without([1, 4]) }
    }
}
