import Foundation
import Testing

extension CommandSuites {
    @Suite("Search files")
    struct IndexFlowTests {
        @Test("they are built, used, found out where they are damaged, and built again; answers are those of the catalogue")
        func life() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(12)
            let catalog = place("x.db")
            _ = try await Command.run("import", pictures, "--catalog", catalog, "--json").good()
            let none = try await Command.run("index", "build", "--catalog", catalog)
            #expect(none.code == 65 && none.errors.contains { $0.contains("stylefinder embed") })
            _ = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()

            func status() async throws -> [String: Any] {
                let document = try await Command.run("index", "status", "--catalog", catalog, "--json").good()
                return try #require((document["models"] as? [[String: Any]])?.first)
            }
            let query = place(Workplace.name(1))
            func search(_ more: String...) async throws -> [[String: Any]] {
                let found = try await Command.start(
                    [
                        "search", query, "--catalog", catalog, "--model", ReducedModel.path, "--json", "-k", "5",
                    ] + more
                ).end().good()
                return try #require(found["results"] as? [[String: Any]])
            }
            func ids(_ results: [[String: Any]]) -> [String] {
                results.compactMap { ($0["product"] as? [String: Any])?["id"] as? String }
            }
            #expect(try await status()["usable"] as? Bool == false)
            let before = try await search()
            let exact = try await search("--exact")
            #expect(ids(exact) == ids(before))
            for (one, other) in zip(exact, before) {
                let (one, other) = (try #require(one["score"] as? Double), try #require(other["score"] as? Double))
                #expect(abs(one - other) < 1e-3)
            }

            #expect(try await Command.run("index", "build", "--catalog", catalog).code == 0)
            let built = try await status()
            #expect(built["usable"] as? Bool == true && built["filed"] as? Int == 12 && built["behind"] as? Int == 0)
            #expect(try await Command.run("index", "check", "--catalog", catalog).code == 0)
            #expect(try await ids(search()) == ids(before))

            // A picture more: it is found without another build.
            try place.picture("more/new.png", 99)
            _ = try await Command.run("import", place("more"), "--catalog", catalog, "--json").good()
            _ = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()
            #expect(try #require(try await status()["behind"] as? Int) > 0)
            let found = try await Command.start(
                ["search", place("more/new.png"), "--catalog", catalog, "--model", ReducedModel.path, "--json", "-k", "1"]
            ).end().good()
            #expect(ids(try #require(found["results"] as? [[String: Any]])).first?.contains("new") == true)

            let folder = URL(filePath: catalog + ".index")
            let segment = try #require(
                FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
                    .first { $0.lastPathComponent.hasPrefix("segment-") })
            var data = try Data(contentsOf: segment)
            data[data.count - 70] ^= 0x55
            try data.write(to: segment, options: .atomic)
            let checked = try await Command.run("index", "check", "--catalog", catalog)
            #expect(checked.code == 65 && checked.errors.contains { $0.contains("index build") })
            #expect(try await Command.run("index", "build", "--catalog", catalog).code == 0)
            #expect(try await Command.run("index", "check", "--catalog", catalog).code == 0)
            try Data("no folder".utf8).write(to: URL(filePath: place("y.db.index")))
            try FileManager.default.copyItem(atPath: catalog, toPath: place("y.db"))
            let refused = try await Command.run("index", "build", "--catalog", place("y.db"))
            #expect(refused.code != 0 && !refused.errors.isEmpty)
        }
    }
}
