import Foundation
import Testing

@testable import CLIP

@Suite("JSON of checkpoint folders")
struct JSONFileTests {
    @Test("true is no number, and 1 is no truth value")
    func kinds() throws {
        let text = #"{"true": true, "one": 1, "half": 0.5, "zero": 0, "false": false, "text": "1", "null": null}"#
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let expected: [(String, Double?, Bool?)] = [
            ("true", nil, true), ("one", 1, nil), ("half", 0.5, nil), ("zero", 0, nil), ("false", nil, false), ("text", nil, nil),
            ("null", nil, nil), ("absent", nil, nil),
        ]
        for (key, number, truth) in expected {
            #expect(JSONKind.number(object[key]) == number && JSONKind.truth(object[key]) == truth, "\(key)")
        }
    }
}
