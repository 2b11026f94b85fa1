import Catalog
import CLIP
import Foundation
import Imaging
import Testing
import Tokenizers

@testable import Training

@Suite("BatchLoader")
struct BatchLoaderTests {
    @Test("the thread makes the batches that are made here and now, in order, and stops when asked to")
    func ahead() throws {
        let tiny = try TinyRun(.vit)
        let data = try TrainingData(
            tiny.sources.datasets, templates: tiny.recipe.captions, teachers: tiny.sources.teachers, teacherPaths: ["teacher"])
        let start = try TrainingStart(tiny.recipe)
        // No room for photos: each is decoded again, and nothing changes.
        let loaders = try [1 << 30, 0].map {
            try BatchLoader(
                data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer, memory: $0)
        }
        loaders[0].start(batches: 2..<100)
        for step in 2..<8 {
            let (found, expected) = (try loaders[0].next(), try loaders[1].batch(step: step))
            #expect(found.squares == expected.squares && found.items == expected.items && found.tokens == expected.tokens)
            #expect(found.teacher == expected.teacher && found.captioned.map(\.view) == expected.captioned.map(\.view))
        }
        loaders[0].stop()
    }

    @Test("one thread and many make the same batches, with every effect on")
    func workers() throws {
        let tiny = try TinyRun(.vit)
        // A studio photo, whose ground is replaced by parts of the others too.
        let studio = try #require(tiny.sources.datasets[0].rows.first).path
        var pixels = [UInt8](repeating: 250, count: 3 * 40 * 40)
        for index in 0..<3 * 40 * 40 where (12..<28).contains(index / 120) && (12..<28).contains(index % 120 / 3) {
            pixels[index] = UInt8(index * 7 % 200)
        }
        try Data(ImageEncoder.png(RGBImage(width: 40, height: 40, pixels: pixels))).write(to: URL(filePath: studio))
        // One that can't be read, as well.
        try Data("no picture".utf8).write(to: URL(filePath: tiny.sources.datasets[0].rows[3].path))
        (tiny.recipe.augmentation.rotate, tiny.recipe.augmentation.pad, tiny.recipe.augmentation.background) = (20, 0.5, 1)
        (tiny.recipe.augmentation.blur, tiny.recipe.augmentation.erase) = (0.3, 0.4)
        let data = try TrainingData(
            tiny.sources.datasets, templates: tiny.recipe.captions, teachers: tiny.sources.teachers, teacherPaths: ["teacher"])
        let start = try TrainingStart(tiny.recipe)
        let loaders = try [(1, 1 << 30), (2, 0), (7, 1 << 14)].map { workers, memory in
            try BatchLoader(
                data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer, memory: memory,
                workers: workers)
        }
        var unreadable = 0
        for step in 0..<12 {
            let batches = try loaders.map { try $0.batch(step: step) }
            for batch in batches.dropFirst() {
                #expect(batch.squares == batches[0].squares && batch.items == batches[0].items)
                #expect(batch.unreadable == batches[0].unreadable && batch.teacher == batches[0].teacher)
            }
            unreadable += batches[0].unreadable.count
        }
        #expect(unreadable > 0)
    }

    @Test("where no photo of an item can be read, another item stands for it in all its views, which stay positives")
    func substitutes() throws {
        let tiny = try TinyRun(.vit)
        // Both photos of the first garment.
        for row in tiny.sources.datasets[0].rows[..<2] { try Data("no picture".utf8).write(to: URL(filePath: row.path)) }
        let data = try TrainingData(
            tiny.sources.datasets, templates: tiny.recipe.captions, teachers: tiny.sources.teachers, teacherPaths: ["teacher"])
        let start = try TrainingStart(tiny.recipe)
        let loaders = try (0..<2).map { _ in
            try BatchLoader(data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
        }
        var met = 0
        for step in 0..<8 {
            let (batch, again) = (try loaders[0].batch(step: step), try loaders[1].batch(step: step))
            #expect(batch.squares == again.squares && batch.items == again.items && batch.unreadable == again.unreadable)
            #expect(!batch.items.contains(0) && batch.items.count == 8)
            for item in batch.items { #expect(batch.items.count { $0 == item } >= 2) }
            met += batch.unreadable.isEmpty ? 0 : 1
        }
        #expect(met > 0)
    }

    @Test("photos without identities are refused with the way to give them")
    func noIdentities() throws {
        let tiny = try TinyRun(.vit)
        let lines = (0..<4).map { "{\"image\": \"photo-\($0).png\", \"product_id\": \"\($0)\"}" }.joined(separator: "\n")
        let dataset = try Dataset(contentsOf: URL(filePath: tiny.folder.write(lines, to: "data/plain.jsonl")))
        let data = try TrainingData([dataset], templates: [], teachers: [], teacherPaths: [])
        let start = try TrainingStart(tiny.recipe)
        let error = #expect(throws: TrainingError.self) {
            try BatchLoader(data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
        }
        #expect(error?.description.contains("give the photos of one product the same product_id") == true)
    }

    @Test("at most one view of an item has a caption, equal captions are one row, and every view has its teacher")
    func captions() throws {
        let tiny = try TinyRun(.vit)
        let data = try TrainingData(
            tiny.sources.datasets, templates: tiny.recipe.captions, teachers: tiny.sources.teachers, teacherPaths: ["teacher"])
        let start = try TrainingStart(tiny.recipe)
        let loader = try BatchLoader(data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
        var shared = false
        for step in 0..<12 {
            let batch = try loader.batch(step: step)
            #expect(batch.items.count == 8 && batch.squares?.bytes.count == 8 * 3 * 32 * 32 && batch.teacher.count == 8 * 6)
            let captioned = batch.captioned.map { batch.items[$0.view] }
            #expect(captioned.count == Set(captioned).count && Set(captioned) == Set(batch.items))
            let rows = batch.tokens.count / 12
            #expect(Set(batch.captioned.map(\.caption)) == Set(0..<rows))
            for (view, row) in batch.captioned {
                let photo = try #require(data.items.firstIndex(of: batch.items[view]))
                let caption = data.captions[try #require(data.caption(of: photo, step: step))]
                let ids = try #require(start.tokenizer).encode(caption).ids.map(Int64.init)
                #expect(Array(batch.tokens[(12 * row)..<(12 * row + 12)]) == ids)
            }
            shared = shared || rows < captioned.count
        }
        #expect(shared)
    }
}
