// Measures one training step beside a peer: reads one line per request on stdin, answers with one line on stdout.
//
//     TrainingBenchmark RECIPE THREADS
//
// Every line takes one step of the recipe on a batch of noise and answers its milliseconds; the end of the input ends the program.
// Benchmarks/train_step.py drives it and the peer in turns, so that both see the same machine.

import CLIP
import Foundation
import Torch
import Training

guard CommandLine.arguments.count == 3, let threads = Int(CommandLine.arguments[2]) else {
    throw TorchError.argument("usage: TrainingBenchmark RECIPE THREADS")
}
try TorchRuntime.setThreads(threads)
let recipe = try Recipe(path: CommandLine.arguments[1])
let origin = try TrainingStart(recipe)
let teacherSize = 1024
let step = try TrainingStep(model: origin.model, recipe: recipe, teacherSize: teacherSize, device: .cpu)
let side = origin.preprocessing.side
let context = origin.model.configuration.text.contextLength
let endToken = Int64(origin.model.configuration.text.vocabularySize - 1)
let items = recipe.batch.count
let views = recipe.batch.viewCount

/// The item of each view, and the first view of each item.
let numbers = recipe.batch.shares.flatMap { share in
    [Int](repeating: share.views ?? recipe.batch.views, count: share.items + share.singles)
}.enumerated().flatMap { [Int](repeating: $0, count: $1) }
let firsts = numbers.indices.filter { $0 == 0 || numbers[$0] != numbers[$0 - 1] }

/// At once: print would keep a line back until a buffer is full, and the driver waits for it.
func answer(_ line: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

@MainActor func batch() -> TrainingBatch {
    var teacher: [Float] = []
    for _ in 0..<views {
        let vector = (0..<teacherSize).map { _ in Float.random(in: -1...1) }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        teacher.append(contentsOf: vector.map { $0 / length })
    }
    // Every item has another caption: as many texts as items, the most a step can meet.
    let tokens = (0..<items).flatMap { item in
        (0..<context).map { place in
            place == context - 1 ? endToken : Int64((item * 7 + place) % 500)
        }
    }
    return TrainingBatch(
        pixels: (0..<(views * 3 * side * side)).map { _ in Float.random(in: -1...1) },
        items: numbers, captioned: firsts.enumerated().map { (view: $1, caption: $0) }, tokens: tokens,
        taught: Array(0..<views), teacher: teacher)
}

try answer("\(origin.model.configuration.architectureName), \(views) views, \(items) texts, \(TorchRuntime.threads) threads")
var number = 0
while readLine() != nil {
    let batch = batch()
    let begin = ContinuousClock.now
    _ = try step.run(batch, step: number % recipe.steps)
    try answer(String((ContinuousClock.now - begin) / .milliseconds(1)))
    number += 1
}
