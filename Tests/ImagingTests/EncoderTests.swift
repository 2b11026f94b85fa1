import Imaging
import Testing

@Suite("Writing pictures")
struct EncoderTests {
    @Test("a PNG gives back the same pixels")
    func png() throws {
        for (width, height) in [(1, 1), (3, 200), (97, 61)] {
            let image = try RGBImage.noise(width: width, height: height, seed: 5)
            let bytes = try ImageEncoder.png(image)
            #expect(try ImageDecoder.header(of: bytes).format == .png)
            #expect(try ImageDecoder.decode(bytes) == image)
        }
    }

    @Test("a JPEG of higher quality is larger and nearer to the picture")
    func jpeg() throws {
        let image = try ImageDecoder.decode(Fixtures.picture("scene-200x133.png"))
        var last = (bytes: 0, error: Double.infinity)
        for quality in [5, 40, 75, 95] {
            let bytes = try ImageEncoder.jpeg(image, quality: quality)
            let decoded = try ImageDecoder.decode(bytes)
            #expect(decoded.size == image.size)
            let squares = zip(decoded.pixels, image.pixels).map { (Double($0) - Double($1)) * (Double($0) - Double($1)) }
            let error = squares.reduce(0, +) / Double(squares.count)
            #expect(bytes.count > last.bytes && error < last.error, "quality \(quality): \(bytes.count) bytes, error \(error)")
            last = (bytes.count, error)
        }
    }

    @Test("a quality outside of 1...100 is refused, and so is a side that JPEG cannot hold")
    func refusals() throws {
        let image = try RGBImage.noise(width: 2, height: 2, seed: 1)
        for quality in [0, 101, -1] {
            #expect(throws: ImageError.invalidQuality(quality)) { try ImageEncoder.jpeg(image, quality: quality) }
        }
        let long = try RGBImage(width: 70_000, height: 1, pixels: [UInt8](repeating: 7, count: 210_000))
        do {
            _ = try ImageEncoder.jpeg(long, quality: 80)
            Issue.record("a side of 70,000 was written")
        } catch {
            #expect(error.category == .failed)
            expectOneSentence(error)
        }
        #expect(try ImageDecoder.decode(ImageEncoder.png(long), limits: DecodingLimits(maxSide: 70_000)) == long)
    }
}
