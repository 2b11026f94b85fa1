// Decodes and preprocesses the JPEGs named on the command line, again and again, and says how long it took; `Benchmarks/decode.py` runs it.
//
//     ImagingBenchmark REPEATS FILE ...
//
// Prints one line per file: seconds for all repeats, then a checksum of the pixels (the sum of all samples), which the peer prints too.

import Foundation
import Imaging

guard CommandLine.arguments.count > 2, let repeats = Int(CommandLine.arguments[1]), repeats > 0 else {
    FileHandle.standardError.write(Data("usage: ImagingBenchmark REPEATS FILE ...\n".utf8))
    exit(64)
}
for path in CommandLine.arguments.dropFirst(2) {
    let bytes = try Array(Data(contentsOf: URL(filePath: path)))
    var sum = 0
    let elapsed = try ContinuousClock().measure {
        for _ in 0..<repeats {
            let image = try ImageDecoder.decode(bytes).shortestSideCenterCrop(224, crop: 224, filter: .bicubic)
            sum = image.pixels.reduce(0) { $0 + Int($1) }
        }
    }
    print(Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18, sum)
}
