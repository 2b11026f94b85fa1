import Imaging
import Testing

@Suite("Hints where colours may differ")
struct ColourHintTests {
    private let sRGB = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]]
    private let displayP3 = [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]]
    private let adobeRGB = [[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]]

    private func hints(_ profile: [UInt8]) throws -> [ColourHint?] {
        var jpeg = try Fixtures.picture("pillow-1.jpg")
        let parts = [profile.prefix(100), profile.dropFirst(100)]
        let segments = parts.enumerated().map { place, part in
            HandMade.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [UInt8(place + 1), 2] + part)
        }
        jpeg.insert(contentsOf: segments.joined(), at: 2)
        let png = HandMade.png(before: [HandMade.chunk("iCCP", Array("a name\0\0".utf8) + HandMade.deflated(profile))])
        let webp = HandMade.webp(width: 8, height: 8, flags: 0x20, chunks: [("ICCP", profile)])
        return try [jpeg, png, webp].map { try ImageDecoder.header(of: $0).colourHint }
    }

    @Test("sRGB and Display P3 need none, by their colours or by their name; others do")
    func profiles() throws {
        let table: [(ColourHint?, [UInt8])] = [
            (nil, HandMade.profile("a camera", colours: sRGB)), (nil, HandMade.profile("a phone", colours: displayP3)),
            (nil, HandMade.profile("sRGB v4 ICC preference")), (nil, HandMade.profile("Dot Gain 20%", space: "GRAY")),
            (nil, [UInt8](repeating: 7, count: 200)), (.profile, HandMade.profile("Adobe RGB (1998)", colours: adobeRGB)),
            (.profile, HandMade.profile("a table")), (.profile, HandMade.profile("two colours", colours: Array(sRGB.prefix(2)))),
        ]
        for (expected, profile) in table {
            #expect(try hints(profile) == [expected, expected, expected])
            // A profile that is cut off is judged by what is left, and nothing breaks.
            for length in stride(from: 0, to: profile.count, by: 7) { _ = try hints(Array(profile.prefix(length))) }
        }
    }

    @Test("four inks are told, gray and ordinary pictures are not")
    func inks() throws {
        for name in ["jpeg-cmyk-adobe.jpg", "jpeg-ycck.jpg", "jpeg-cmyk-pillow.jpg"] {
            #expect(try ImageDecoder.header(of: Fixtures.picture(name)).colourHint == .cmyk, "\(name)")
        }
        for name in ["jpeg-gray.jpg", "pillow-0.jpg", "icc.jpg", "png-gamma-profile.png", "webp-icc.webp", "png-rgb.png"] {
            #expect(try ImageDecoder.header(of: Fixtures.picture(name)).colourHint == nil, "\(name)")
        }
    }
}
