import Catalog
import Foundation
import Testing

extension CommandSuites {
    @Suite("Interrupted commands")
    struct InterruptionTests {
        /// Pictures that take a while to decode, in a folder of their own.
        private func slowPictures(_ place: Workplace, count: Int = 96) throws -> String {
            for number in 0..<4 { try place.picture("slow/\(number).png", number, width: 1500, height: 1500) }
            for number in 4..<count {
                // Another name for the same file: a product of its own, at no cost.
                try FileManager.default.linkItem(atPath: place("slow/\(number % 4).png"), toPath: place("slow/\(number).png"))
            }
            return place("slow")
        }

        /// Starts a command until a Ctrl-C, sent once `begun` holds, comes before its end. A machine under load may wake the test too late.
        private func interrupted(
            _ arguments: [String], prepare: () throws -> Void = {}, begun: (Command) throws -> Bool
        ) async throws -> Outcome {
            var outcome: Outcome?
            for _ in 0..<10 {
                try prepare()
                let command = try Command.start(arguments)
                if try await command.reaches({ try begun(command) }) { command.send(SIGINT) }
                let end = await command.end()
                outcome = end
                if end.code != 0 { break }
            }
            return try #require(outcome)
        }

        private func remove(_ catalog: String) {
            for suffix in ["", "-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: catalog + suffix) }
        }

        @Test("Ctrl-C in import ends with 130, keeps what was done, and the same command completes")
        func importing() async throws {
            let place = try Workplace()
            let arguments = ["import", try slowPictures(place), "--catalog", place("x.db"), "--json"]
            let outcome = try await interrupted(arguments, prepare: { remove(place("x.db")) }) { command in
                command.said.contains { $0.hasPrefix("importing") }
            }
            #expect(outcome.code == 130, "\(outcome)")
            let report = try outcome.json()
            #expect(report["stopped"] as? Bool == true)
            let kept = try #require(report["images_added"] as? Int)
            #expect(kept < 96)
            #expect(try place.look("x.db") { try $0.counts().images } == kept)
            let rest = try await Command.start(arguments).end().good()
            #expect(rest["images_added"] as? Int == 96 - kept && rest["images_unchanged"] as? Int == kept)
            #expect(try place.look("x.db") { try $0.counts().usable } == 96)
        }

        @Test("Ctrl-C in embed ends with 130, keeps what was done, and the same command completes")
        func embedding() async throws {
            let place = try Workplace()
            let catalog = place("x.db")
            // The pictures are not decoded here: only embedding has to take its time.
            let store = try CatalogStore(path: place("imported.db"), mode: .create)
            _ = try store.importCatalog(
                from: URL(fileURLWithPath: slowPictures(place)), inspect: { _, _ in PictureSize(width: 1500, height: 1500) })
            try store.close()
            let arguments = ["embed", "--catalog", catalog, "--model", ReducedModel.path, "--json"]
            func vectors() throws -> Int { try place.look("x.db") { try $0.counts().vectors.values.reduce(0, +) } }
            let outcome = try await interrupted(
                arguments,
                prepare: {
                    remove(catalog)
                    try FileManager.default.copyItem(atPath: place("imported.db"), toPath: catalog)
                }
            ) { command in try command.said.contains { $0.hasPrefix("embedding") } && vectors() > 0 }
            #expect(outcome.code == 130, "\(outcome)")
            let report = try outcome.json()
            #expect(report["stopped"] as? Bool == true)
            let kept = try #require(report["embedded"] as? Int)
            #expect(kept > 0 && kept < 96)
            #expect(try vectors() == kept)
            let rest = try await Command.start(arguments).end().good()
            #expect(rest["embedded"] as? Int == 96 - kept)
            #expect(try vectors() == 96)
        }

        @Test("Ctrl-C in train ends with 130, keeps the last step, and --resume takes each of the others once")
        func training() async throws {
            let place = try Workplace()
            let metrics = place("run/metrics.jsonl")
            func steps() -> [Int] {
                String(decoding: FileManager.default.contents(atPath: metrics) ?? Data(), as: UTF8.self).split(separator: "\n")
                    .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
                    .filter { $0["loss"] != nil }.compactMap { $0["step"] as? Int }
            }
            let arguments = [
                "train", try place.recipe(steps: 60), "--data", try place.dataset(6, splits: ["train", "train"]), "--out",
                place("run"),
                "--threads", "1",
            ]
            let outcome = try await interrupted(arguments, prepare: { try? FileManager.default.removeItem(atPath: place("run")) })
            { _ in
                steps().count >= 2
            }
            #expect(outcome.code == 130, "\(outcome)")
            #expect(outcome.output.isEmpty && outcome.said.last?.hasSuffix("--resume") == true)
            let taken = steps()
            #expect(taken == Array(1...taken.count) && taken.count < 120)
            let rest = try await Command.start(arguments + ["--resume"]).end()
            #expect(rest.code == 0, "\(rest)")
            #expect(steps() == Array(1...120))
            #expect(try await Command.run("models", "inspect", place("run"), "--json").good()["embedding_size"] as? Int == 16)
        }

        // MARK: kill -9

        /// Path and vector of every image.
        private func vectors(_ place: Workplace, _ name: String) throws -> [String: [Float]] {
            try place.look(name) { store in
                let fingerprint = try #require(store.models().first).fingerprint
                let table = try store.vectors(of: fingerprint)
                let images = try store.images(table.imageIDs)
                return Dictionary(
                    uniqueKeysWithValues: try table.imageIDs.map {
                        (images[$0]?.path ?? "", try #require(try store.vector(of: $0, model: fingerprint)))
                    })
            }
        }

        /// How long a command works, from the moment `begun` holds to its end.
        private func working(_ arguments: [String], begun: () throws -> Bool) async throws -> Duration {
            let command = try Command.start(arguments)
            _ = try await command.reaches(begun)
            let begin = ContinuousClock.now
            _ = try await command.end().good()
            return ContinuousClock.now - begin
        }

        /// Kills a command somewhere in its work. A command that had ended by then is prepared and started again, to be killed earlier.
        /// Returns whether the kill came before its end.
        private func killed(
            point: Int, of duration: Duration, begun: () throws -> Bool, prepare: () throws -> [String]
        ) async throws -> Bool {
            var numbers = SeededNumbers(UInt64(point) + 77)
            // Spread over the whole work, at random within each twentieth; the first points lie before it.
            var share = (Double(point) - 1 + Double.random(in: 0..<1, using: &numbers)) / 19
            for _ in 0..<8 {
                let command = try Command.start(try prepare())
                if share > 0 {
                    _ = try await command.reaches(begun)
                    try await Task.sleep(for: duration * share)
                }
                command.send(SIGKILL)
                if await command.end().code == -SIGKILL { return true }
                share *= 0.7
            }
            return false
        }

        @Test("embed killed at 20 points loses nothing, makes nothing twice, and completes")
        func killedEmbed() async throws {
            let place = try Workplace()
            let count = 450
            for number in 0..<count { try place.picture("pictures/\(number).png", number, width: 24, height: 24) }
            _ = try await Command.run("import", place("pictures"), "--catalog", place("imported.db"), "--json").good()
            func start(_ name: String) throws -> [String] {
                remove(place(name))
                try FileManager.default.copyItem(atPath: place("imported.db"), toPath: place(name))
                return ["embed", "--catalog", place(name), "--model", ReducedModel.path, "--json"]
            }
            // The log beside the file appears when the catalogue is opened for writing.
            func begun(_ name: String) -> Bool { FileManager.default.fileExists(atPath: place(name) + "-wal") }
            let whole = try start("whole.db")
            let duration = try await working(whole) { begun("whole.db") }
            let expected = try vectors(place, "whole.db")
            #expect(expected.count == count)
            var kills = 0
            for point in 0..<20 {
                let name = "\(point).db"
                let isKilled = try await killed(
                    point: point, of: duration, begun: { begun(name) }, prepare: { try start(name) })
                if isKilled { kills += 1 }
                let arguments = ["embed", "--catalog", place(name), "--model", ReducedModel.path, "--json"]
                let kept = try place.look(name) { try $0.counts().vectors.values.reduce(0, +) }
                // Whole batches only.
                #expect(kept % 32 == 0 || kept == count, "point \(point)")
                let report = try await Command.start(arguments).end().good()
                #expect(report["embedded"] as? Int == count - kept, "point \(point)")
                let found = try vectors(place, name)
                #expect(found.keys == expected.keys, "point \(point)")
                let far =
                    found.map { path, vector in zip(vector, expected[path] ?? []).map { abs($0 - $1) }.max() ?? 1 }.max() ?? 1
                #expect(far < 1e-5, "point \(point)")
            }
            #expect(kills == 20)
        }
    }
}
