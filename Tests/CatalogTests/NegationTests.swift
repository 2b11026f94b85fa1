import Catalog
import Testing

@Suite("What a text says is not wanted")
struct NegationTests {
    @Test(
        "a negating word takes the next word that says something",
        arguments: [
            ("dress without sleeves", "dress", ["sleeves"]), ("a red shirt with no pockets", "a red shirt with", ["pockets"]),
            ("coat without a hood or buttons, in blue", "coat in blue", ["hood", "buttons"]),
            ("trousers, not black", "trousers,", ["black"]), ("shirt without pockets, stripes", "shirt stripes", ["pockets"]),
            ("Without sleeves", "Without sleeves", []), ("notable knot", "notable knot", []), ("", "", []),
            ("dress without", "dress without", []),
        ] as [(String, String, [String])])
    func english(text: String, wanted: String, unwanted: [String]) {
        let negation = Negation(text)
        #expect(negation.wanted == wanted)
        #expect(negation.unwanted == unwanted)
    }

    @Test("each language negates in its own words")
    func languages() throws {
        let german = try #require(Language("de"))
        #expect(Negation("Kleid ohne Ärmel und Taschen", language: german).unwanted == ["ärmel", "taschen"])
        #expect(Negation("Kleid without Ärmel", language: german).unwanted.isEmpty)
        let french = try #require(Language("fr"))
        #expect(Negation("robe sans manches", language: french).wanted == "robe")
    }
}
