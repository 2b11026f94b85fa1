import CImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What becomes of transparency.
public enum AlphaRule: Sendable, CaseIterable {
    /// Composed on white, c·α + 255·(1 − α) rounded to nearest.
    case onWhite
    /// The alpha channel is left out, as Pillow's `convert('RGB')` does.
    case dropped
}

/// Pictures of every `ImageFormat` to upright RGB, equal in every byte to what Pillow makes of opaque pictures with `exif_transpose` and `convert('RGB')`.
///
/// - The EXIF orientation is applied (JPEG APP1, PNG eXIf and ImageMagick's raw profile, WebP EXIF; XMP where EXIF is silent); a broken one is ignored.
/// - Of 16-bit samples the high byte counts; ICC profiles and gamma are ignored.
/// - Of an animation, an MPO or a TIFF of several pages the first picture counts, of a HEIC or AVIF the primary one.
/// - HEIC and AVIF are turned, mirrored and cropped by libheif, as their container says; what their EXIF says of it is not looked at. Their colours are
///   those of the libheif that is on the machine: versions differ in how they enlarge chroma.
/// - A file that is cut off is refused, also when only its end marker is missing; a JPEG in one scan may have something else in the marker's place.
///
/// "Equal to Pillow" means a Pillow that is built on the same libjpeg: versions 2 and 3 of libjpeg-turbo differ a little in progressive pictures that lack
/// their last scans, and lossless JPEGs are read by version 3 alone.
///
/// Safe to call from any thread. All decodes of a process share `DecodingMemory.forProcess`, so one of a large picture may block its thread until
/// others are done.
public enum ImageDecoder {
    /// Reads the header only: no limit applies, no pixel is decoded.
    /// - Throws: what is wrong with the header, or which format it is instead.
    public static func header(of bytes: some Collection<UInt8>) throws(ImageError) -> ImageHeader {
        try withBytes(of: bytes) { pointer throws(ImageError) in try ImageHeader(of: pointer) }
    }

    /// Decodes a whole file that is in memory (`[UInt8]`, `Data`, `UnsafeRawBufferPointer`, ...).
    /// - Parameters:
    ///   - limits: judged from the header, before memory for pixels is taken.
    ///   - control: who may end the decode, and when; the memory that it waits for.
    ///   - alpha: what becomes of transparency.
    ///   - minimumSide: where given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as small as leaves both sides at least that long: fast, and
    ///     equal to Pillow's `draft`. Not for what a model sees: the pixels are not those of the whole picture resized.
    /// - Throws: which limit is exceeded, what is broken, or which format it is instead.
    public static func decode(
        _ bytes: some Collection<UInt8>, limits: DecodingLimits = .standard, control: DecodingControl = DecodingControl(),
        alpha: AlphaRule = .onWhite, minimumSide: Int? = nil
    ) throws(ImageError) -> RGBImage {
        try withBytes(of: bytes) { pointer throws(ImageError) in
            try limits.check(byteCount: pointer.count)
            let format = try ImageFormat(of: pointer)
            try limits.check(format)
            let header = try ImageHeader(of: pointer, as: format)
            // A HEIF's container tells of what kind its picture is.
            try limits.check(header.format)
            try limits.check(header)
            let divisor = header.format == .jpeg ? draftDivisor(header, minimumSide: minimumSide) : 1
            return try control.memory.with(header.memoryToDecode(dividedBy: divisor), control) { () throws(ImageError) in
                if let reason = control.reasonToStop { throw reason }
                let stored = try decodeStored(
                    pointer, header, divisor: divisor, alpha: alpha, control: control, maxWork: limits.maxWork)
                return stored.upright(from: header.orientation)
            }
        }
    }

    /// Reads and decodes a file. Its size is judged before it is read.
    /// - Throws: `ImageError.inFile` with the path around the reason.
    public static func decode(
        contentsOfFile path: String, limits: DecodingLimits = .standard, control: DecodingControl = DecodingControl(),
        alpha: AlphaRule = .onWhite, minimumSide: Int? = nil
    ) throws(ImageError) -> RGBImage {
        do {
            return try decode(
                contents(ofFile: path, limits: limits), limits: limits, control: control, alpha: alpha, minimumSide: minimumSide)
        } catch {
            throw .inFile(path: path, error)
        }
    }

    /// Reads the header of a file, which is read whole: an orientation may stand at its end.
    /// - Throws: `ImageError.inFile` with the path around the reason.
    public static func header(ofFile path: String, limits: DecodingLimits = .standard) throws(ImageError) -> ImageHeader {
        do {
            return try header(of: contents(ofFile: path, limits: limits))
        } catch {
            throw .inFile(path: path, error)
        }
    }

    private static func withBytes<Result>(
        of bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        func run(_ buffer: UnsafeBufferPointer<UInt8>) -> Swift.Result<Result, ImageError> {
            Swift.Result { () throws(ImageError) in try body(UnsafeRawBufferPointer(buffer)) }
        }
        return try (bytes.withContiguousStorageIfAvailable(run) ?? Array(bytes).withUnsafeBufferPointer(run)).get()
    }

    /// Decodes the picture as it lies in the file.
    private static func decodeStored(
        _ bytes: UnsafeRawBufferPointer, _ header: ImageHeader, divisor: Int, alpha: AlphaRule, control: DecodingControl,
        maxWork: Int
    ) throws(ImageError) -> RGBImage {
        if header.format == .gif { return try GIFDecoder.decode(bytes, GIFHeader(bytes), alpha: alpha, control: control) }
        if let library = header.format.library {
            if let lack = header.format.lack { throw .libraryMissing(header.format, library, lack) }
            // A decoder that takes a thread for every core, and cannot be told not to, is run once at a time.
            if header.format == .avif, ci_heif_counts_threads() == 0 {
                return try oneAtATime.with(1, control) { () throws(ImageError) in
                    if let reason = control.reasonToStop { throw reason }
                    return try decodeInShim(bytes, header, divisor: divisor, alpha: alpha, control: control, maxWork: maxWork)
                }
            }
        }
        return try decodeInShim(bytes, header, divisor: divisor, alpha: alpha, control: control, maxWork: maxWork)
    }

    /// A capacity that nothing fits in lets one after another work alone.
    private static let oneAtATime = DecodingMemory(capacity: 0)

    private static func decodeInShim(
        _ bytes: UnsafeRawBufferPointer, _ header: ImageHeader, divisor: Int, alpha: AlphaRule, control: DecodingControl,
        maxWork: Int
    ) throws(ImageError) -> RGBImage {
        let width = (header.width + divisor - 1) / divisor
        let height = (header.height + divisor - 1) / divisor
        let alpha = alpha == .onWhite ? CI_ALPHA_ON_WHITE : CI_ALPHA_DROPPED
        let layout = header.format == .tiff ? try TIFFHeader(bytes) : nil
        let source = bytes.bindMemory(to: UInt8.self).baseAddress
        var outcome = (status: CI_OK, message: "")
        let image = RGBImage(width: width, height: height) { pixels in
            outcome = control.withShim(maxWork: maxWork) { shim in
                withMessage { message in
                    switch header.format {
                    case .jpeg:
                        ci_jpeg_decode(source, bytes.count, UInt32(width), UInt32(height), UInt32(divisor), shim, pixels, message)
                    case .png: ci_png_decode(source, bytes.count, UInt32(width), UInt32(height), alpha, shim, pixels, message)
                    case .webp: ci_webp_decode(source, bytes.count, UInt32(width), UInt32(height), alpha, shim, pixels, message)
                    case .tiff:
                        ci_tiff_decode(
                            source, bytes.count, UInt32(width), UInt32(height), CInt(layout?.alphaSample ?? -1),
                            layout?.isPremultiplied == true ? 1 : 0, alpha, UInt64(header.cost.workingBytes), shim, pixels,
                            message)
                    case .heic, .avif:
                        ci_heif_decode(
                            source, bytes.count, UInt32(width), UInt32(height),
                            header.format == .avif ? CI_CODEC_AV1 : CI_CODEC_HEVC,
                            header.hasAlpha ? 1 : 0, alpha, UInt64(header.cost.largestArea), UInt64(header.cost.workingBytes),
                            shim, pixels, message)
                    // Decoded above.
                    case .gif: CI_ERR_UNSUPPORTED
                    }
                }
            }
        }
        switch outcome.status {
        case CI_OK: return image
        case CI_ERR_TRUNCATED: throw .truncated(header.format)
        case CI_ERR_UNSUPPORTED: throw .unsupportedKind(header.format, reason: outcome.message)
        case CI_ERR_DECODER: throw .libraryMissing(header.format, .heif, .decoder)
        case CI_ERR_MEMORY: throw .outOfMemory(header.format)
        case CI_ERR_WORK: throw .tooMuchWork(header.format, reason: outcome.message)
        // A deadline stays passed, and who cancelled mostly says so again.
        case CI_ERR_STOPPED: throw control.reasonToStop ?? .cancelled
        default: throw .broken(header.format, reason: outcome.message)
        }
    }

    /// 8, 4, 2 or 1: the largest that divides neither side below `minimumSide`.
    private static func draftDivisor(_ header: ImageHeader, minimumSide: Int?) -> Int {
        guard let minimumSide else { return 1 }
        let scale = min(header.width, header.height) / max(minimumSide, 1)
        return [8, 4, 2].first { scale >= $0 } ?? 1
    }

    private static func contents(ofFile path: String, limits: DecodingLimits) throws(ImageError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(reason: String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(reason: "it is not a regular file") }
        let size = Int(status.st_size)
        try limits.check(byteCount: size)
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = read(file, buffer.baseAddress?.advanced(by: count), size - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                // A file that shrank meanwhile gives what is left of it; the decoder then finds it cut off.
                if got <= 0 { break }
                count += got
            }
        }
        guard failure == 0 else { throw .unreadable(reason: String(cString: strerror(failure))) }
        return bytes
    }
}

/// Calls a function of the shim with room for its message.
func withMessage(_ body: (UnsafeMutablePointer<CChar>?) -> CIStatus) -> (status: CIStatus, message: String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CI_MESSAGE_SIZE)) { buffer in
        buffer.initialize(repeating: 0)
        let status = body(buffer.baseAddress)
        guard status != CI_OK, let text = buffer.baseAddress else { return (status, "") }
        return (status, String(cString: text))
    }
}
