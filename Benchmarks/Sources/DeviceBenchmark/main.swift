// What a device does with full-size models whose weights are drawn from a seed: nothing has to be carried to the machine but this program.
//
//     DeviceBenchmark check DEVICE      the device's vectors, losses and weights beside the CPU's; ends with 1 where they differ too much
//     DeviceBenchmark views SIDE STEPS  views a second and core of a batch loader on drawn photos
//     DeviceBenchmark run DEVICE        reads `WHAT MODEL COUNT PRECISION` per line and answers with milliseconds: WHAT is `embed` or
//                                       `train`, MODEL `vit` (ViT-B/16) or `rn50`, COUNT pictures at a time, PRECISION float32, tf32 or
//                                       bfloat16
//
// Benchmarks/device.py drives `run` and eager PyTorch in turns, so that both see the same machine.

import CLIP
import Foundation
import Torch
import Training

/// At once: print would keep a line back until a buffer is full, and the driver waits for it.
func answer(_ line: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

/// - Returns: the exit code.
func main(_ arguments: [String]) throws -> Int32 {
    let usage = TorchError.argument("usage: DeviceBenchmark check DEVICE, views SIDE STEPS or run DEVICE")
    guard arguments.count > 2 else { throw usage }
    if arguments[1] == "views" {
        guard arguments.count == 4, let side = Int(arguments[2]), let steps = Int(arguments[3]), side > 0, steps > 0 else {
            throw usage
        }
        try ViewBenchmark(side: side).run(steps: steps, answer)
        return 0
    }
    guard arguments.count == 3, let device = Device(rawValue: arguments[2]) else { throw usage }
    try device.require()
    switch arguments[1] {
    case "check": return try DeviceCheck(device: device).run(answer) ? 0 : 1
    case "run":
        try time(on: device)
        return 0
    default: throw usage
    }
}

func time(on device: Device) throws {
    try answer("\(device.rawValue), libtorch \(TorchRuntime.version), \(TorchRuntime.threads) threads")
    var subject: Subject?
    while let line = readLine() {
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 4, let model = FullSize(rawValue: words[1]), let count = Int(words[2]), count > 1 else {
            throw TorchError.argument("expected WHAT MODEL COUNT PRECISION, found \(line)")
        }
        let setting = Subject.Setting(what: words[0], model: model, count: count, precision: words[3])
        if subject?.setting != setting {
            // The memory of the one before is free before the next one takes its own.
            subject = nil
            subject = try Subject(setting, device: device)
        }
        if let subject { try answer(String(try subject.milliseconds())) }
    }
}

do {
    exit(try main(CommandLine.arguments))
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(70)
}
