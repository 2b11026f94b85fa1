import Catalog
import Foundation
import HTTPTypes
import Imaging
import Testing

@testable import API

@Suite("Near-duplicates over HTTP")
struct DuplicateRouteTests {
    @Test("pictures and products that are nearly the same are listed for whoever has the token")
    func list() async throws {
        let shop = try Shop()
        let red = try ImageDecoder.decode(contentsOfFile: shop.folder.path + "/red-main.png")
        let again = try ImageEncoder.jpeg(red.resized(width: 40, height: 40, filter: .bicubic), quality: 80)
        try await shop.liveServer().test(.router) { client in
            #expect(try await client.get("/api/v1/duplicates").status == .unauthorized)
            func listed() async throws -> [String: Any] {
                let answer = try await client.execute(
                    uri: "/api/v1/duplicates", method: .get, headers: [.authorization: "Bearer \(Shop.token)"])
                #expect(answer.status == .ok, "\(answer.text)")
                return try answer.json()
            }
            let before = try await listed()
            // Black and a little darker black are the same to anybody.
            func products(_ listing: [String: Any]) -> [[String]] {
                (listing["duplicates"] as? [[String: Any]] ?? []).map { group in
                    (group["items"] as? [[String: Any]] ?? []).compactMap { $0["product_id"] as? String }
                }
            }
            #expect(products(before) == [["P4", "P4"]] && before["compared"] as? Int == 12 && before["unreadable"] as? Int == 0)
            #expect((before["products"] as? [Any])?.isEmpty == true)
            _ = try await client.batch([
                #"{"put": {"id": "COPY", "title": "The same", "images": [{"base64": "\#(Data(again).base64EncodedString())"}]}}"#
            ])
            let after = try await listed()
            let groups = try #require(after["duplicates"] as? [[String: Any]])
            #expect(Set(products(after)) == [["P4", "P4"], ["P0", "COPY"]])
            let group = try #require(groups.first { ($0["items"] as? [[String: Any]])?.last?["product_id"] as? String == "COPY" })
            #expect(group["score"] as? Double ?? 0 > 0.99)
            let items = try #require(group["items"] as? [[String: Any]])
            #expect(items.map { $0["product_id"] as? String } == ["P0", "COPY"])
            #expect(items.map { $0["title"] as? String } == ["A red thing", "The same"])
            let pairs = try #require(after["products"] as? [[String: Any]])
            #expect(pairs.map { $0["product_ids"] as? [String] } == [["P0", "COPY"]])
            #expect(pairs[0]["shared"] as? Int == 1 && pairs[0]["of"] as? Int == 1)
        }
    }
}
