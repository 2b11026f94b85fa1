// Measures a model's image tower beside a peer: reads one line per request on stdin, answers with one line on stdout.
//
//     EncoderBenchmark MODEL THREADS [float32|bfloat16|int8]
//     EncoderBenchmark load MODEL ACTIVATION
//
// `N` encodes a batch of N pictures of noise, prepared already, and answers the milliseconds; the end of the input ends the program.
// Benchmarks/encode.py drives it and the peer in turns, so that both see the same machine. `load` makes a checkpoint ready to answer and
// prints the seconds until its fingerprint is known too, and until it could answer (Benchmarks/load.py).

import CLIP
import Foundation
import Torch

if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "load" {
    let begin = ContinuousClock.now
    let path = CommandLine.arguments[2]
    // A .pt of tensors does not say its activation; safetensors of ours do.
    let activation = path.hasSuffix(".safetensors") ? nil : Activation(rawValue: CommandLine.arguments[3])
    let checkpoint = try Checkpoint(path: path, activation: activation)
    let embedder = try Embedder(checkpoint: checkpoint)
    let ready = (ContinuousClock.now - begin) / .seconds(1)
    _ = try checkpoint.fingerprint
    let known = (ContinuousClock.now - begin) / .seconds(1)
    print(embedder.configuration.architectureName, known, ready)
    exit(0)
}
guard (3...4).contains(CommandLine.arguments.count), let threads = Int(CommandLine.arguments[2]),
    let precision = CommandLine.arguments.count == 4 ? Precision(rawValue: CommandLine.arguments[3]) : .float32
else {
    throw TorchError.argument("usage: EncoderBenchmark MODEL THREADS [float32|bfloat16|int8], or load MODEL ACTIVATION")
}
try TorchRuntime.setThreads(threads)
let embedder = try Embedder(checkpoint: Checkpoint(path: CommandLine.arguments[1]), precision: precision)
let side = embedder.preprocessing.side

/// At once: print would keep a line back until a buffer is full, and the driver waits for it.
func answer(_ line: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

/// SplitMix64: the system's own numbers cost more than what is measured.
struct Noise: RandomNumberGenerator {
    var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
var noise = Noise()

try answer("\(embedder.configuration.architectureName), \(TorchRuntime.threads) threads, libtorch \(TorchRuntime.version)")
while let line = readLine() {
    guard let count = Int(line) else { throw TorchError.argument("expected a number of pictures, found \(line)") }
    let pixels = (0..<(count * 3 * side * side)).map { _ in Float.random(in: -1...1, using: &noise) }
    let begin = ContinuousClock.now
    _ = try embedder.embed(pixels: pixels, count: count)
    try answer(String((ContinuousClock.now - begin) / .milliseconds(1)))
}
