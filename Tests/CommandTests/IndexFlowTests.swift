import Catalog
import Foundation
import Retrieval
import Search
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

        @Test(
            "graphs over hardly anything, or beside a search without codes, are refused",
            arguments: [
                ["index", "build", "--graphs-from", "255"], ["serve", "--graphs-from", "255"],
                ["serve", "--exact", "--graphs-from", "1000"],
            ])
        func refusedGraphs(_ arguments: [String]) async throws {
            let outcome = try await Command.start(arguments + ["--catalog", "none.db"]).end()
            #expect(outcome.code == 64 && outcome.said.contains { $0.contains("--graphs-from") }, "\(outcome)")
        }

        @Test(
            "what does not go together with vectors that lie elsewhere is refused by its name",
            arguments: [
                ([], "--catalog"), (["--milvus", "http://127.0.0.1:1"], "--images-url"),
                (["--milvus", "http://127.0.0.1:1", "--images-url", "pictures"], "--images-url"),
                (
                    ["--milvus", "http://127.0.0.1:1", "--images-url", "https://a.example", "--catalog", "none.db"],
                    "--images-url"
                ),
                (["--milvus", "http://127.0.0.1:1", "--catalog", "none.db", "--watch", "."], "--watch"),
                (["--milvus", "http://127.0.0.1:1", "--catalog", "none.db", "--exact"], "--exact"),
                (["--catalog", "none.db", "--milvus-token-file", "token"], "--milvus-token-file"),
            ] as [([String], String)])
        func refusedElsewhere(_ arguments: [String], _ named: String) async throws {
            let outcome = try await Command.start(["serve"] + arguments).end()
            #expect(outcome.code == 64 && outcome.said.contains { $0.contains(named) }, "\(outcome)")
        }

        #if !Milvus
            @Test(
                "a build without Milvus says so, and how one with it is made",
                arguments: [["serve", "--images-url", "https://a.example"], ["index", "sync", "--catalog", "none.db"]])
            func withoutMilvus(_ arguments: [String]) async throws {
                let outcome = try await Command.start(arguments + ["--milvus", "http://127.0.0.1:1"]).end()
                #expect(outcome.code == 69 && outcome.said.contains { $0.contains("--traits Milvus") }, "\(outcome)")
            }
        #endif

        /// Vectors on a circle: whose neighbours are known, and which a graph joins up.
        private func circle(_ count: Int, in catalog: String) throws -> ModelRecord {
            let model = ModelRecord(fingerprint: String(repeating: "c0ffee00", count: 8), name: "circle", dimension: 32)
            let store = try CatalogStore(path: catalog, mode: .readWrite)
            defer { try? store.close() }
            let ids = try store.usableImageIDs()
            try store.writeVectors(
                ids.prefix(count).enumerated().map { place, id in
                    var components = [Float](repeating: 0, count: model.dimension)
                    let angle = 2 * Double.pi * Double(place) / Double(count)
                    for wave in 0..<model.dimension / 2 {
                        components[2 * wave] = Float(cos(angle * Double(wave + 1)) / Double(model.dimension / 2).squareRoot())
                        components[2 * wave + 1] = Float(sin(angle * Double(wave + 1)) / Double(model.dimension / 2).squareRoot())
                    }
                    return NewVector(image: id, contentHash: nil, components: components)
                }, of: model)
            return model
        }

        @Test("a build that is killed at any moment leaves files that are used whole or not at all, and the next build completes")
        func killed() async throws {
            let place = try Workplace()
            let catalog = place("x.db")
            let count = 3000
            try FileManager.default.createDirectory(atPath: place("many"), withIntermediateDirectories: true)
            try place.picture("many/0.png", 0)
            for number in 1..<count {
                try FileManager.default.linkItem(atPath: place("many/0.png"), toPath: place("many/\(number).png"))
            }
            _ = try await Command.run("import", place("many"), "--catalog", catalog, "--json").good()
            let model = try circle(count, in: catalog)
            let build = ["index", "build", "--catalog", catalog, "--graphs-from", "1000"]
            func remove() { try? FileManager.default.removeItem(atPath: catalog + ".index") }
            let begin = ContinuousClock.now
            #expect(try await Command.start(build).end().code == 0)
            let whole = ContinuousClock.now - begin
            var kills = 0
            for point in 0..<50 {
                // Every other build begins over the files of the one before.
                if point.isMultiple(of: 2) { remove() }
                let command = try Command.start(build)
                try await Task.sleep(for: whole * (0.2 + 0.9 * Double(point) / 50))
                command.send(SIGKILL)
                if await command.end().code == -SIGKILL { kills += 1 }
                let store = try CatalogStore(path: catalog, mode: .readOnly)
                defer { try? store.close() }
                let files = IndexFiles(store)
                // None are as good as whole ones.
                guard FileManager.default.fileExists(atPath: files.folder) else { continue }
                switch Result(catching: { () throws(IndexFiles.Unfit) in try files.load(model).index.count }) {
                case .success(let found):
                    #expect(found == count, "point \(point)")
                    try files.verify(model.fingerprint)
                case .failure(let unfit): #expect(unfit == .missing, "point \(point)")
                }
            }
            // A machine under load may be later than the last ones.
            #expect(kills >= 30)
            #expect(try await Command.start(build).end().code == 0)
            #expect(try await Command.run("index", "check", "--catalog", catalog).code == 0)
            let leftovers = try #require(FileManager.default.enumerator(atPath: catalog + ".index")?.allObjects as? [String])
            #expect(!leftovers.contains { $0.hasSuffix(".partial") }, "\(leftovers)")
            #expect(leftovers.count { $0.contains("graph-") } == 1, "\(leftovers)")
        }
    }
}
