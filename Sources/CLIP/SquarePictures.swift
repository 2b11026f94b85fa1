public import Imaging
import TensorFiles
public import Torch

/// Square pictures of one size as bytes: a quarter of what their normalised numbers take, which is what travels to a device.
public struct SquarePictures: Sendable, Equatable {
    /// `[count, side, side, 3]`, row-major: red, green, blue of each pixel.
    public let bytes: [UInt8]
    public let count: Int
    public let side: Int
    private let mean: [Float]
    private let deviation: [Float]

    /// - Parameters:
    ///   - bytes: `[count, side, side, 3]`.
    ///   - preprocessing: says the side, and how they are normalised.
    /// - Precondition: `bytes` holds whole pictures.
    public init(bytes: [UInt8], _ preprocessing: Preprocessing) {
        side = preprocessing.side
        precondition(bytes.count.isMultiple(of: 3 * side * side), "a picture is cut off")
        count = bytes.count / (3 * side * side)
        self.bytes = bytes
        (mean, deviation) = (preprocessing.mean, preprocessing.deviation)
    }

    /// - Parameter images: `side` × `side`, as `preprocessing.fit` makes them.
    public init(_ images: [RGBImage], _ preprocessing: Preprocessing) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(images.count * 3 * preprocessing.side * preprocessing.side)
        for image in images { bytes.append(contentsOf: image.pixels) }
        self.init(bytes: bytes, preprocessing)
    }

    /// What the models take: float32 `[count, 3, side, side]` of `(value / 255 - mean) / deviation`, equal to `Preprocessing.pixels` in every
    /// bit.
    ///
    /// The constants are tensors on the device too: by a plain number a GPU would multiply with the reciprocal.
    public func tensor(on device: Device) throws(TorchError) -> Tensor {
        func constant(_ values: [Float]) throws(TorchError) -> Tensor {
            try Tensor(values, shape: [1, values.count, 1, 1]).to(device)
        }
        let pictures = try Tensor(bytes, shape: [count, side, side, 3]).to(device).permuted([0, 3, 1, 2])
        // A GPU's convolutions want the channels innermost, as they are; oneDNN chooses other ways to the same sum by the order it is given.
        let planes = try device == .cpu ? pictures.contiguous() : pictures
        return try (planes.to(.float32) / constant([255]) - constant(mean)) / constant(deviation)
    }
}
