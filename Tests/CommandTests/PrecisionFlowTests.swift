import Foundation
import Testing

extension CommandSuites {
    @Suite("int8")
    struct PrecisionFlowTests {
        @Test("a model is quantised, embeds, is searched, and says what it costs")
        func quantize() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(12)
            let made = try await Command.run(
                "models", "quantize", ReducedModel.path, "--out", place("int8"), "--calibrate", pictures, "--json"
            ).good()
            let agreement = try #require(made["agreement"] as? [String: Any])
            let found = try #require(agreement["pictures"] as? [String: Any])
            #expect(found["count"] as? Int == 12 && (found["mean_cosine"] as? Double ?? 0) > 0.9)
            let layers = try #require(made["layers"] as? [[String: Any]])
            #expect(layers.count > 8 && layers.allSatisfy { ($0["relative_error"] as? Double).map { $0 > 0 && $0 < 1 } ?? false })

            // Every layer kept float is the model itself, in half precision where a weight is no product's.
            let plain = try await Command.run(
                "models", "quantize", ReducedModel.path, "--out", place("float"), "--calibrate", pictures, "--tolerance", "0",
                "--json"
            ).good()
            let exact = try #require((plain["agreement"] as? [String: Any])?["pictures"] as? [String: Any])
            #expect((exact["mean_cosine"] as? Double ?? 0) > 0.9999)

            try await #require(Command.run("import", pictures, "--catalog", place("c.db")).code == 0)
            let embedded = try await Command.run("embed", "--catalog", place("c.db"), "--model", place("int8"))
            #expect(embedded.code == 0, "\(embedded)")
            let answer = try await Command.run(
                "search", place("pictures/dresses/004.png"), "--catalog", place("c.db"), "--model", place("int8"), "--json"
            ).good()
            let best = try #require((answer["results"] as? [[String: Any]])?.first)
            #expect((best["score"] as? Double ?? 0) > 0.999)
            let twice = try await Command.run("models", "quantize", place("int8"), "--out", place("again"))
            #expect(twice.code == 64 && twice.errors.first?.contains("8-bit weights already") == true, "\(twice)")
        }

        @Test("both forms of a model find the same in one catalogue")
        func forms() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(12)
            try await #require(Command.run("import", pictures, "--catalog", place("c.db")).code == 0)
            try await #require(
                Command.run("embed", "--catalog", place("c.db"), "--model", ReducedModel.path, "--precision", "float32").code == 0
            )
            for precision in ["float32", "int8", "auto"] {
                let answer = try await Command.run(
                    "search", place("pictures/dresses/004.png"), "--catalog", place("c.db"), "--model", ReducedModel.path,
                    "--precision",
                    precision, "--json"
                ).good()
                let best = try #require((answer["results"] as? [[String: Any]])?.first)
                #expect((best["score"] as? Double ?? 0) > 0.95, "\(precision)")
            }
        }

        @Test("calibration on no pictures and on broken ones is refused in words")
        func calibration() async throws {
            let place = try Workplace()
            let empty = try place.makeFolder("empty")
            for number in 0..<6 { try place.write("broken/\(number).png", "no picture") }
            for (folder, word) in [(empty, "no"), (place("broken"), "four or more"), (place("nowhere"), "nowhere")] {
                let refused = try await Command.run(
                    "models", "quantize", ReducedModel.path, "--out", place("out"), "--calibrate", folder)
                #expect(refused.code != 0 && refused.errors.count == 1 && refused.errors[0].contains(word), "\(refused)")
            }
            #expect(!FileManager.default.fileExists(atPath: place("out")))
        }
    }
}
