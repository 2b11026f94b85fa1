import Catalog
import Foundation
import Retrieval
import TensorFiles
import Testing

/// The Python environment of `make reference`, where it has been made.
private enum Python {
    static let program = Command.package + "/.deps/reference/bin/python"
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: program) }
}

extension CommandSuites {
    @Suite("Vectors in files")
    struct VectorFileFlowTests {
        /// What a file of either kind holds.
        private struct Content: Equatable {
            let names: [String]
            let shape: [Int]
            let floats: [Float]
            let model: String?
            let fingerprint: String?

            init(_ path: String) throws {
                if path.hasSuffix(".pt") {
                    let root = try TorchCheckpoint(path: path).root
                    let features = try #require(root["features"]?.tensor)
                    #expect(features.type == .float32)
                    (shape, floats) = (features.shape, features.floats())
                    names = try #require(root["image_paths"]?.list).map { try #require($0.text) }
                    (model, fingerprint) = (root["model"]?.text, root["fingerprint"]?.text)
                } else {
                    let file = try SafetensorsFile(path: path)
                    let features = try #require(file.tensors["features"])
                    #expect(features.type == .float32)
                    (shape, floats) = (features.shape, try file.floats("features"))
                    names = try JSONDecoder().decode(
                        [String].self, from: Data(try #require(file.metadata["image_paths"]).utf8))
                    (model, fingerprint) = (file.metadata["model"], file.metadata["fingerprint"])
                }
            }
        }

        private func features(_ data: String, _ out: String, _ rest: String...) async throws {
            let outcome = try await Command.start(
                ["features", "--data", data, "--model", ReducedModel.path, "--out", out] + rest
            ).end()
            try #require(outcome.code == 0, "\(outcome)")
        }

        /// Path and vector of every picture of a catalogue that has one.
        private func vectors(_ place: Workplace, _ catalog: String) throws -> [String: [Float]] {
            try place.look(catalog) { store in
                guard let model = try store.models().first else { return [:] }
                let table = try store.vectors(of: model.fingerprint)
                let images = try store.images(table.imageIDs)
                return Dictionary(
                    uniqueKeysWithValues: table.imageIDs.enumerated().map { row, id in
                        (images[id]?.path ?? "", Array(table.values[row * model.dimension..<(row + 1) * model.dimension]))
                    })
            }
        }

        private func map(_ data: String, _ file: String) async throws -> Double {
            let report = try await Command.run("evaluate", "--data", data, "--features", file, "--json").good()
            return try #require(report["map"] as? Double)
        }

        @Test(
            "features holds a unit vector for every row, in the manifest's order, duplicates kept",
            arguments: ["safetensors", "pt"])
        func features(ending: String) async throws {
            let place = try Workplace()
            let data = try place.dataset(5)
            // The first row once more.
            let lines = try String(contentsOfFile: data + "/manifest.jsonl", encoding: .utf8)
            try place.write("data/manifest.jsonl", lines + lines.prefix { $0 != "\n" })
            let out = place("all.\(ending)")
            try await features(data, out)
            let file = try Content(out)
            #expect(file.shape == [11, 64])
            #expect(file.names == (0..<5).flatMap { ["images/\($0)-0.png", "images/\($0)-1.png"] } + ["images/0-0.png"])
            #expect(file.model == "vit-quickgelu-f16" && file.fingerprint == ReducedModel.fingerprint)
            for row in 0..<11 {
                let length = file.floats[row * 64..<(row + 1) * 64].reduce(0) { $0 + Double($1) * Double($1) }
                #expect(abs(length - 1) < 1e-5)
            }
            #expect(zip(file.floats[0..<64], file.floats[640..<704]).allSatisfy { abs($0 - $1) < 1e-5 })
            let part = place("part.\(ending)")
            try await features(data, part, "--split", "gallery")
            #expect(try Content(part).shape == [5, 64])
            #expect(try Content(part).names == (0..<5).map { "images/\($0)-1.png" })
            // Nothing is left beside what was asked for.
            let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
            #expect(Set(names) == ["data", "all.\(ending)", "part.\(ending)"])
        }

        @Test("both kinds of file hold the same, and measure the same as the model itself")
        func kinds() async throws {
            let place = try Workplace()
            let data = try place.dataset(7)
            for ending in ["safetensors", "pt"] { try await features(data, place("v.\(ending)")) }
            #expect(try Content(place("v.pt")) == Content(place("v.safetensors")))
            let report = try await Command.run("evaluate", "--data", data, "--model", ReducedModel.path, "--json").good()
            let expected = try #require(report["map"] as? Double)
            // Rows that measure badly could not be told from rows in a wrong order.
            #expect(expected > 0.5)
            for ending in ["safetensors", "pt"] { #expect(try await map(data, place("v.\(ending)")) == expected) }
        }

        @Test("evaluate finds rows by path, in any order and of any length, and names the surplus")
        func matching() async throws {
            let place = try Workplace()
            let data = try place.dataset(6)
            try await features(data, place("v.pt"))
            let expected = try await map(data, place("v.pt"))
            let file = try Content(place("v.pt"))
            let ways: [(String, (String) -> String)] = [
                ("relative", { $0 }), ("dotted", { "./" + $0 }), ("absolute", { data + "/" + $0 }),
                ("roundabout", { "nowhere/../" + $0 }),
            ]
            for (what, name) in ways {
                for ending in ["safetensors", "pt"] {
                    // Backwards, each row longer than the one before, one row twice and two of other pictures.
                    let order = (0..<12).reversed() + [4]
                    let floats = order.enumerated().flatMap { place, row in
                        file.floats[row * 64..<(row + 1) * 64].map { $0 * Float(place + 2) / 3 }
                    }
                    let path = try place.vectors(
                        "\(what).\(ending)", ["before.png"] + order.map { name(file.names[$0]) } + ["behind.png"],
                        [Float](repeating: 1, count: 64) + floats + [Float](repeating: 2, count: 64))
                    let outcome = try await Command.run("evaluate", "--data", data, "--features", path, "--json")
                    let found = try #require(outcome.good()["map"] as? Double)
                    #expect(abs(found - expected) < 1e-9, "\(what).\(ending)")
                    let warnings = outcome.said.filter { $0.hasPrefix("warning: ") }
                    #expect(
                        warnings.count == 1 && warnings[0].contains("2 of the 15 rows of \(path)")
                            && warnings[0].hasSuffix("before.png"), "\(outcome)")
                }
            }
            // Rows of another split are no surplus.
            let val = try place.dataset(6, name: "val", splits: ["val", "val"])
            try await features(val, place("val.pt"))
            let outcome = try await Command.run("evaluate", "--data", val, "--split", "val", "--features", place("val.pt"))
            #expect(outcome.code == 0 && outcome.said.allSatisfy { !$0.hasPrefix("warning") }, "\(outcome)")
        }

        @Test("parts that machines made of their copies of a catalogue fill it as one embed would, twice the same as once")
        func shards() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(20)
            let common = ["--model", ReducedModel.path, "--json"]
            for catalog in ["whole.db", "parts.db"] {
                _ = try await Command.run("import", pictures, "--catalog", place(catalog), "--json").good()
            }
            _ = try await Command.start(["embed", "--catalog", place("whole.db")] + common).end().good()
            var parts: [String] = []
            for shard in 0..<3 {
                try FileManager.default.copyItem(atPath: place("parts.db"), toPath: place("copy\(shard).db"))
                let part = place("part\(shard).safetensors")
                let arguments =
                    ["embed", "--catalog", place("copy\(shard).db"), "--shard", "\(shard)/3", "--out", part] + common
                let report = try await Command.start(arguments).end().good()
                #expect([6, 7].contains(report["embedded"] as? Int))
                // What is in the file is not made again.
                #expect(try await Command.start(arguments).end().good()["embedded"] as? Int == 0)
                #expect(try CatalogStore(path: place("copy\(shard).db"), mode: .readOnly).counts().vectors.isEmpty)
                parts.append(part)
            }
            #expect(try parts.map { try EmbeddingFile(path: $0).count }.reduce(0, +) == 20)
            for expected in [20, 0] {
                let report = try await Command.start(["embed", "--catalog", place("parts.db"), "--from"] + parts + common).end()
                    .good()
                #expect(report["embedded"] as? Int == expected && report["not_in_file"] as? Int == 0)
            }
            let (whole, taken) = (
                try CatalogStore(path: place("whole.db"), mode: .readOnly),
                try CatalogStore(path: place("parts.db"), mode: .readOnly)
            )
            let model = try #require(try whole.models().first)
            #expect(try taken.models().map(\.fingerprint) == [model.fingerprint])
            let byPath = Dictionary(uniqueKeysWithValues: try taken.images().map { ($0.path, $0.id) })
            for image in try whole.images() {
                let one = try #require(try whole.vector(of: image.id, model: model.fingerprint))
                let copy = try #require(byPath[image.path])
                let other = try #require(try taken.vector(of: copy, model: model.fingerprint))
                // Of another batch: rounding.
                #expect(zip(one, other).allSatisfy { abs($0 - $1) < 1e-4 })
            }

            let both = try await Command.start(
                ["embed", "--catalog", place("parts.db"), "--out", place("a.pt"), "--from", parts[0]] + common
            ).end()
            #expect(both.code == 64)
            let ending = try await Command.start(["embed", "--catalog", place("copy0.db"), "--out", place("a.bin")] + common)
                .end()
            #expect(ending.code == 64 && ending.errors.contains { $0.contains(".safetensors") })
            try place.write("broken.safetensors", "no file of vectors")
            let broken = try await Command.start(
                ["embed", "--catalog", place("copy0.db"), "--out", place("broken.safetensors")] + common
            ).end()
            #expect(broken.code == 65, "\(broken)")
            #expect(try String(contentsOfFile: place("broken.safetensors"), encoding: .utf8) == "no file of vectors")
        }

        @Test("embed takes vectors from a file, counts what the file lacks, and does the rest itself")
        func taken() async throws {
            let place = try Workplace()
            let data = try place.dataset(6)
            _ = try await Command.run("import", data, "--catalog", place("made.db"), "--json").good()
            for name in ["pt.db", "safetensors.db"] {
                try FileManager.default.copyItem(atPath: place("made.db"), toPath: place(name))
            }
            let common = ["--model", ReducedModel.path, "--json"]
            _ = try await Command.start(["embed", "--catalog", place("made.db")] + common).end().good()
            let expected = try vectors(place, "made.db")
            #expect(expected.count == 12)
            for ending in ["pt", "safetensors"] {
                let catalog = "\(ending).db"
                let file = place("part.\(ending)")
                try await features(data, file, "--split", "gallery")
                let arguments = ["embed", "--catalog", place(catalog), "--from", file] + common
                let report = try await Command.start(arguments).end().good()
                #expect(report["embedded"] as? Int == 6 && report["not_in_file"] as? Int == 6, "\(report)")
                #expect((report["problems"] as? [Any])?.isEmpty == true && report["stopped"] as? Bool == false)
                let content = try Content(file)
                let found = try vectors(place, catalog)
                #expect(found.count == 6)
                for (row, name) in content.names.enumerated() {
                    #expect(found[data + "/" + name] == Array(content.floats[row * 64..<(row + 1) * 64]))
                }
                // Once more, nothing is left to take.
                let again = try await Command.start(arguments).end().good()
                #expect(again["embedded"] as? Int == 0 && again["not_in_file"] as? Int == 6)
                let plain = try await Command.run(
                    "embed", "--catalog", place(catalog), "--from", file, "--model", ReducedModel.path)
                #expect(plain.code == 0 && plain.text.contains("0 vectors of vit-quickgelu-f16 taken from"), "\(plain)")
                // The other rows are not in the catalogue's way either.
                let rest = try await Command.start(["embed", "--catalog", place(catalog)] + common).end().good()
                #expect(rest["embedded"] as? Int == 6 && rest["not_in_file"] as? Int == 0)
                let whole = try vectors(place, catalog)
                #expect(whole.keys == expected.keys)
                for (path, vector) in whole {
                    #expect(zip(vector, expected[path] ?? []).allSatisfy { abs($0 - $1) < 1e-5 }, "\(path)")
                }
                let query = data + "/images/3-0.png"
                let search = try await Command.start(["search", query, "--catalog", place(catalog)] + common).end().good()
                let first = try #require((search["results"] as? [[String: Any]])?.first?["product"] as? [String: Any])
                #expect(first["id"] as? String == "G3")
            }
        }

        @Test("a file that does not say its model is taken with a given fingerprint, in shards too, and surplus rows are named")
        func givenFingerprint() async throws {
            let place = try Workplace()
            let data = try place.dataset(4)
            _ = try await Command.run("import", data, "--catalog", place("x.db"), "--json").good()
            try await features(data, place("v.pt"))
            let content = try Content(place("v.pt"))
            for ending in ["pt", "safetensors"] {
                let file = try place.vectors(
                    "bare.\(ending)", content.names.map { data + "/" + $0 } + ["gone.png"],
                    content.floats.map { $0 * 7 } + [Float](repeating: 1, count: 64))
                try FileManager.default.copyItem(atPath: place("x.db"), toPath: place("\(ending).db"))
                var sum = 0
                for shard in ["0/3", "1/3", "2/3"] {
                    let outcome = try await Command.run(
                        "embed", "--catalog", place("\(ending).db"), "--model", ReducedModel.path, "--from", file,
                        "--fingerprint",
                        ReducedModel.fingerprint.uppercased(), "--shard", shard, "--json")
                    sum += try #require(outcome.good()["embedded"] as? Int)
                    #expect(outcome.said.contains { $0.hasPrefix("warning: 1 of the 9 rows of") && $0.hasSuffix("gone.png") })
                }
                #expect(sum == 8)
                let found = try vectors(place, "\(ending).db")
                #expect(found.count == 8)
                for (row, name) in content.names.enumerated() {
                    let vector = content.floats[row * 64..<(row + 1) * 64]
                    #expect(zip(vector, found[data + "/" + name] ?? []).allSatisfy { abs($0 - $1) < 1e-6 })
                }
            }
        }

        @Test("a name that two imported folders hold is refused, and an absolute path is not")
        func twoFolders() async throws {
            let place = try Workplace()
            for name in ["one", "two"] {
                try place.picture("\(name)/a.png", name == "one" ? 1 : 2)
                _ = try await Command.run("import", place(name), "--catalog", place("x.db"), "--json").good()
            }
            func take(_ names: [String]) async throws -> Outcome {
                let floats = names.indices.flatMap { row in (0..<64).map { $0 == row ? Float(1) : 0 } }
                let file = try place.vectors("v.pt", names, floats, fingerprint: ReducedModel.fingerprint)
                return try await Command.run(
                    "embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--from", file, "--json")
            }
            let refused = try await take(["a.png"])
            #expect(refused.code == 65 && refused.errors.count == 1, "\(refused)")
            #expect(refused.errors.first?.contains("which may be \(place("one/a.png")) or \(place("two/a.png"))") == true)
            #expect(try await take([place("one/a.png"), place("two/a.png")]).good()["embedded"] as? Int == 2)
            let found = try vectors(place, "x.db")
            #expect(found[place("one/a.png")]?.first == 1 && found[place("two/a.png")]?[1] == 1)
        }

        @Test("a disk without room leaves the file that was there, and nothing beside it", arguments: ["safetensors", "pt"])
        func noRoom(ending: String) async throws {
            let place = try Workplace()
            let data = try place.dataset(8)
            let folder = try place.makeFolder("out")
            let out = try place.write("out/v.\(ending)", "what was there")
            // 1 KiB for 4 KiB of vectors; without the trap the system would end the program with a signal.
            let outcome = try await Command.shell(
                #"trap '' XFSZ; ulimit -f 2; exec "$0" features --data "$1" --model "$2" --out "$3""#, data, ReducedModel.path,
                out)
            #expect(outcome.code == 74 && outcome.errors.count == 1, "\(outcome)")
            #expect(outcome.errors.first?.contains("\(out) can't be written") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["v.\(ending)"])
            #expect(try String(contentsOfFile: out, encoding: .utf8) == "what was there")
        }

        @Test(
            "what Python makes of our file and saves again is measured and taken as ours is",
            .enabled(if: Python.isPresent, "needs `make reference`"))
        func savedByPython() async throws {
            let place = try Workplace()
            let data = try place.dataset(4)
            try await features(data, place("v.pt"))
            let run = try await Command.shell(
                #""$1" "$2" rewrite "$3" "$4" "$5""#, Python.program, Command.package + "/tools/golden/embeddings.py",
                place("v.pt"),
                place("python.pt"), data)
            try #require(run.code == 0, "\(run)")
            #expect(try Content(place("python.pt")).names.first == data + "/images/1-1.png")
            let (ours, theirs) = (try await map(data, place("v.pt")), try await map(data, place("python.pt")))
            #expect(abs(ours - theirs) < 1e-9)
            _ = try await Command.run("import", data, "--catalog", place("x.db"), "--json").good()
            let report = try await Command.run(
                "embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--from", place("python.pt"), "--fingerprint",
                ReducedModel.fingerprint, "--json"
            ).good()
            #expect(report["embedded"] as? Int == 8 && report["not_in_file"] as? Int == 0)
            let content = try Content(place("v.pt"))
            let found = try vectors(place, "x.db")
            for (row, name) in content.names.enumerated() {
                let vector = content.floats[row * 64..<(row + 1) * 64]
                #expect(zip(vector, found[data + "/" + name] ?? []).allSatisfy { abs($0 - $1) < 1e-6 })
            }
        }
    }
}
