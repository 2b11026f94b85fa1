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

let arguments = CommandLine.arguments
switch (arguments.count, arguments.dropFirst().first) {
case (3, "check"):
    guard let device = Device(rawValue: arguments[2]) else { throw TorchError.argument("no device is called \(arguments[2])") }
    try device.require()
    exit(try DeviceCheck(device: device).run(answer) ? 0 : 1)
case (4, "views"):
    guard let side = Int(arguments[2]), let steps = Int(arguments[3]), side > 0, steps > 0 else {
        throw TorchError.argument("usage: DeviceBenchmark views SIDE STEPS")
    }
    try ViewBenchmark(side: side).run(steps: steps, answer)
case (3, "run"):
    guard let device = Device(rawValue: arguments[2]) else { throw TorchError.argument("no device is called \(arguments[2])") }
    try device.require()
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
        guard let subject else { continue }
        try answer(String(try subject.milliseconds()))
    }
default:
    throw TorchError.argument("usage: DeviceBenchmark check DEVICE, views SIDE STEPS or run DEVICE")
}
