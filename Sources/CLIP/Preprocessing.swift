public import Imaging

/// How a picture becomes the numbers a model was trained on. It belongs to the model and is stored with it.
public struct Preprocessing: Sendable, Equatable {
    /// How a picture of any shape becomes a square.
    public enum Fitting: String, Sendable, Codable, CaseIterable {
        /// The shortest side is resized, the centre cut out: OpenAI's rule.
        case shortestSideCrop = "shortest"
        /// Both sides are resized to the square: SigLIP's rule.
        case squash
    }

    /// Side of the square, in pixels.
    public var side: Int
    public var fitting: Fitting
    /// Where the centre lies when a margin is odd: the two libraries disagree by a pixel.
    public var cropRule: CenterCropRule
    public var filter: ResamplingFilter
    /// Of R, G, B on the scale 0…1.
    public var mean: [Float]
    public var deviation: [Float]

    public init(
        side: Int, fitting: Fitting = .shortestSideCrop, cropRule: CenterCropRule = .torchvision,
        filter: ResamplingFilter = .bicubic, mean: [Float] = Self.openAIMean, deviation: [Float] = Self.openAIDeviation
    ) {
        self.side = side
        self.fitting = fitting
        self.cropRule = cropRule
        self.filter = filter
        self.mean = mean
        self.deviation = deviation
    }

    public static let openAIMean: [Float] = [0.48145466, 0.4578275, 0.40821073]
    public static let openAIDeviation: [Float] = [0.26862954, 0.26130258, 0.27577711]

    /// What most classifiers of ImageNet were trained with.
    public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
    public static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]

    /// SigLIP's mean and deviation, and TensorFlow's EfficientNets'.
    public static let halves: [Float] = [0.5, 0.5, 0.5]

    /// The square picture, before normalisation.
    public func fit(_ image: RGBImage) -> RGBImage {
        switch fitting {
        case .shortestSideCrop: image.shortestSideCenterCrop(side, crop: side, filter: filter, rule: cropRule)
        case .squash: image.squashed(side, filter: filter)
        }
    }

    /// Writes `(value/255 - mean) / deviation` of a `side` × `side` picture, plane by plane (R, G, B), behind what `pixels` holds.
    public func normalize(_ image: RGBImage, into pixels: inout [Float]) {
        let count = image.width * image.height
        let start = pixels.count
        pixels.append(contentsOf: repeatElement(0, count: 3 * count))
        let tables = normalizationTables
        pixels.withUnsafeMutableBufferPointer { target in
            image.pixels.withUnsafeBufferPointer { source in
                for channel in 0..<3 {
                    let plane = target.baseAddress! + start + channel * count
                    tables.withUnsafeBufferPointer { table in
                        let row = table.baseAddress! + 256 * channel
                        for index in 0..<count { plane[index] = row[Int(source[3 * index + channel])] }
                    }
                }
            }
        }
    }

    /// The 256 possible results for each channel, computed as torchvision does: in single precision, division first.
    private var normalizationTables: [Float] {
        (0..<3).flatMap { channel in
            (0..<256).map { value in (Float(value) / 255 - mean[channel]) / deviation[channel] }
        }
    }

    /// Fitted, normalised pictures in one array `[count, 3, side, side]`.
    public func pixels(of images: [RGBImage]) -> [Float] {
        var pixels: [Float] = []
        pixels.reserveCapacity(images.count * 3 * side * side)
        for image in images { normalize(fit(image), into: &pixels) }
        return pixels
    }
}
