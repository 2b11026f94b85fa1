// Decodes and preprocesses the JPEGs named on the command line, again and again, and says how long it took; `Benchmarks/decode.py` runs it.
//
//     ImagingBenchmark REPEATS FILE ...
//
// Prints one line per file: seconds for all repeats, then the Adler-32 of the last result's pixels, which the peer computes too.

import Foundation
import Imaging

guard CommandLine.arguments.count > 2, let repeats = Int(CommandLine.arguments[1]), repeats > 0 else {
    FileHandle.standardError.write(Data("usage: ImagingBenchmark REPEATS FILE ...\n".utf8))
    exit(64)
}

/// RFC 1950's checksum: unlike a sum it notices samples that changed places.
func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
    }
    return b << 16 | a
}

/// Seconds for all repeats, and the checksum of the last result.
func measure(_ bytes: [UInt8], repeats: Int) throws -> (seconds: Double, checksum: UInt32) {
    var pixels: [UInt8] = []
    let elapsed = try ContinuousClock().measure {
        for _ in 0..<repeats {
            pixels = try ImageDecoder.decode(bytes).shortestSideCenterCrop(224, crop: 224, filter: .bicubic).pixels
        }
    }
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    return (seconds, adler32(pixels))
}

for path in CommandLine.arguments.dropFirst(2) {
    let result = try measure(Array(Data(contentsOf: URL(filePath: path))), repeats: repeats)
    print(result.seconds, result.checksum)
}
