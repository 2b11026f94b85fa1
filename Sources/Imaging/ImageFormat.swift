/// The formats that are read. MPO files count as JPEG: their first picture is one.
public enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp

    public var displayName: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        }
    }

    /// - Throws: what the file is instead, or `.truncated` for one that ends within a signature we read.
    init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
        if let format = ImageFormat.cutSignature(bytes) { throw .truncated(format) }
        switch FileKind(of: bytes) {
        case .picture(let format): self = format
        case .otherPicture(let name): throw .unsupportedFormat(name)
        case .cameraRaw(let name): throw .cameraRaw(name)
        case .other(let name): throw .noPicture(name)
        case .behindBytes(let count, let format): throw .behindBytes(count, format)
        case .changedAsText(let format):
            throw .broken(format, reason: "its bytes were changed as if it were text; copy it anew, as a binary file")
        case .text: throw .text
        case .unknown: throw .unknownFormat(firstBytes: Array(bytes.prefix(8)))
        case .empty: throw .empty
        }
    }

    /// A file that ends in the middle of a signature of ours.
    private static func cutSignature(_ bytes: UnsafeRawBufferPointer) -> ImageFormat? {
        guard !bytes.isEmpty else { return nil }
        if bytes.count < 3, [0xFF, 0xD8, 0xFF].starts(with: bytes) { return .jpeg }
        if bytes.count < 8, PNGHeader.signature.starts(with: bytes) { return .png }
        if bytes.count < 12, ByteReader(bytes: bytes).starts(with: "RIFF") { return .webp }
        return nil
    }
}
