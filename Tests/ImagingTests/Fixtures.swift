import Hashing
import Foundation
import Imaging

/// The fixtures that `tools/golden/imaging.py` writes: small pictures and what Pillow, torchvision and transformers make of them.
enum Fixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func picture(_ name: String, in kind: String = "pictures") throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: kind).appending(path: name)))
    }

    static func goldens() throws -> Goldens {
        try JSONDecoder().decode(Goldens.self, from: Data(contentsOf: folder.appending(path: "goldens.json")))
    }

    /// The kinds of hard files that `tools/golden/imaging_hard.py` makes.
    static func hardPictures() throws -> [String: HardPicture] {
        struct Document: Decodable { let pictures: [String: HardPicture] }
        return try JSONDecoder().decode(Document.self, from: Data(contentsOf: folder.appending(path: "hard-pictures.json")))
            .pictures
    }

    static func hardImages() throws -> [String: HardImage] {
        struct Document: Decodable { let pictures: [String: HardImage] }
        return try JSONDecoder().decode(Document.self, from: Data(contentsOf: folder.appending(path: "hard-images.json")))
            .pictures
    }
}

struct Goldens: Decodable {
    struct Picture: Decodable {
        let stored: [Int]
        let orientation: Int
        let size: [Int]
        let onWhite: String
        let dropped: String
    }
    struct Resizing: Decodable {
        let file: String
        let filter: String
        let size: [Int]
        let box: [Double]?
        let sha256: String
    }
    struct Crop: Decodable {
        let file: String
        let filter: String
        let side: Int
        let crop: Int
        let resized: [Int]
        let resizedSha256: String
        let torchvision: String
        let transformers: String?
    }
    struct Draft: Decodable {
        let file: String
        let minimumSide: Int
        let size: [Int]
        let sha256: String
    }
    let pictures: [String: Picture]
    let resizings: [Resizing]
    let crops: [Crop]
    let drafts: [Draft]
}

/// What Pillow makes of a hard file of our own, or why we refuse it: an `ImageError.Category` and words of its sentence.
struct HardPicture: Decodable {
    let size: [Int]?
    let onWhite: String?
    let dropped: String?
    let hint: String?
    let refused: String?
    let word: String?
}

/// What Pillow makes of a file of `hard-images`: a picture, or the name of its error.
struct HardImage: Decodable {
    let format: String?
    let size: [Int]?
    let onWhite: String?
    let dropped: String?
    let pillow: String?
}

/// The folder of real photos beside the package, or where the environment says.
enum RealPhotos {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["STYLEFINDER_DATA"] { return URL(filePath: path) }
        return Fixtures.folder.appending(path: "../../../../shared/data").standardizedFileURL
    }()
    static let hardImages = folder.appending(path: "hard-images")
    static let present = FileManager.default.fileExists(atPath: hardImages.appending(path: "manifest.json").path)
}

extension RGBImage {
    var sha256: String { SHA256.hexDigest(of: pixels) }
    var size: [Int] { [width, height] }

    /// Noise whose every run is the same: SplitMix64 of Steele, Lea and Flood 2014.
    static func noise(width: Int, height: Int, seed: UInt64) throws -> RGBImage {
        var random = SeededRandom(state: seed)
        return try RGBImage(
            width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
}

struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
