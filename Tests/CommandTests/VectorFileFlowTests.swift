import Foundation
import TensorFiles
import Testing

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
    }
}
