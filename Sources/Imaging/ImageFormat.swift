import CImaging

/// The formats that are read. MPO files count as JPEG: their first picture is one.
///
/// TIFF, HEIC and AVIF are decoded by libraries that are loaded when the first such picture comes (`DecoderLibrary`); where they are missing, such a
/// picture is refused with the way to get them. The raw values are what a person calls the formats by in an option.
public enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp, gif, tiff, heic, avif

    public var displayName: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        case .gif: "GIF"
        case .tiff: "TIFF"
        case .heic: "HEIC"
        case .avif: "AVIF"
        }
    }

    /// The library that this format waits for; none for those that are always read.
    public var library: DecoderLibrary? {
        switch self {
        case .jpeg, .png, .webp, .gif: nil
        case .tiff: .tiff
        case .heic, .avif: .heif
        }
    }

    /// What keeps this machine from reading the format, none where it is read. Loads the library if that was not tried before.
    public var lack: DecoderLibrary.Lack? {
        guard let library else { return nil }
        if let lack = library.lack { return lack }
        switch self {
        case .heic: return ci_heif_has_decoder(CI_CODEC_HEVC) == 0 ? .decoder : nil
        case .avif: return ci_heif_has_decoder(CI_CODEC_AV1) == 0 ? .decoder : nil
        default: return nil
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
        let reader = ByteReader(bytes: bytes)
        if bytes.count < 3, [0xFF, 0xD8, 0xFF].starts(with: bytes) { return .jpeg }
        if bytes.count < 8, PNGHeader.signature.starts(with: bytes) { return .png }
        if bytes.count < 12, reader.starts(with: "RIFF") { return .webp }
        if (4..<6).contains(bytes.count), reader.starts(with: "GIF8") { return .gif }
        if bytes.count < 4, bytes.count > 2,
            reader.starts(withBytes: [0x49, 0x49, 42]) || reader.starts(withBytes: [0x4D, 0x4D, 0])
        {
            return .tiff
        }
        return nil
    }
}
