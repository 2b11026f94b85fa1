// One input of libFuzzer for the decoders of pictures; tools/fuzz/run.sh compiles it together with Imaging's own sources.
//
// The variable TARGET is for the seeds alone: the bytes themselves say which decoder they reach. A crash, a hang or memory beyond libFuzzer's limits
// is a finding; an error of ours is not.

import Synchronization

/// Decodes as the server does, but of no more than four megapixels, so that an input costs milliseconds.
private let limits = DecodingLimits(maxPixels: 4 << 20, maxWork: 64 << 20)

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size)
    let kind = FileKind(firstBytes: bytes)
    do throws(ImageError) {
        let header = try ImageDecoder.header(of: bytes)
        guard case .picture = kind else { fatalError("a header of what is \(kind.name)") }
        let image = try ImageDecoder.decode(bytes, limits: limits)
        guard image.width == header.uprightWidth, image.height == header.uprightHeight,
            image.pixels.count == 3 * image.width * image.height
        else { fatalError("\(image.width) x \(image.height), its header says \(header)") }
        let small = try ImageDecoder.decode(bytes, limits: limits, alpha: .dropped, minimumSide: 1)
        guard small.width <= image.width, small.height <= image.height else { fatalError("a reduced picture is larger") }
        // Given up in the middle: nothing may be left behind.
        let asked = Mutex(0)
        let control = DecodingControl {
            asked.withLock {
                $0 += 1; return $0 > 3
            }
        }
        _ = try? ImageDecoder.decode(bytes, limits: limits, control: control)
    } catch {
        let sentence = error.description
        if sentence.isEmpty || sentence.hasSuffix(".") || sentence.contains("\n") { fatalError("no sentence: \(sentence)") }
    }
    return 0
}
