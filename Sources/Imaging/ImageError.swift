/// Why a picture could not be read, changed or written. `description` is one sentence without a full stop.
public enum ImageError: Error, Sendable, Equatable {
    /// No bytes at all.
    case empty
    /// A picture of a format that is known, but not read.
    case unsupportedFormat(String)
    /// A picture of a format that is read, but not under these limits.
    case formatOff(ImageFormat)
    /// A picture of a format whose library, or a part of it, is not on this machine.
    case libraryMissing(ImageFormat, DecoderLibrary, DecoderLibrary.Lack)
    /// A camera's raw file, by the ending that its maker gives it.
    case cameraRaw(String)
    /// Something known that is no picture: a film, a document.
    case noPicture(String)
    /// A picture that would be read, but for so many bytes in front of it.
    case behindBytes(Int, ImageFormat)
    /// Text, whatever the file is called.
    case text
    /// No known picture format; the first bytes, at most eight.
    case unknownFormat(firstBytes: [UInt8])
    /// A kind of picture that is not read, of a format that is.
    case unsupportedKind(ImageFormat, reason: String)
    /// The data ends before the picture does.
    case truncated(ImageFormat)
    /// The data contradicts its format.
    case broken(ImageFormat, reason: String)
    case tooManyBytes(got: Int, limit: Int)
    case tooManyPixels(width: Int, height: Int, limit: Int)
    case sideTooLong(width: Int, height: Int, limit: Int)
    /// Decoding would cost far more than a picture of its size should.
    case tooMuchWork(ImageFormat, reason: String)
    /// Nobody wanted the picture any more.
    case cancelled
    /// The picture was not there in time.
    case deadlinePassed
    case outOfMemory(ImageFormat)
    /// A file that cannot be opened or read.
    case unreadable(reason: String)
    /// What went wrong in a file.
    indirect case inFile(path: String, ImageError)
    /// Sides below 1, or another number of samples than width · height · 3.
    case invalidSize(width: Int, height: Int, samples: Int)
    case invalidQuality(Int)
    case encodingFailed(ImageFormat, reason: String)

    /// What a caller does about an error, without reading its sentence.
    public enum Category: Sendable {
        /// Not a picture that we read.
        case unsupported
        /// A picture of a format that we read, but damaged or cut off.
        case broken
        /// More bytes, pixels, length of side or work than allowed.
        case tooLarge
        /// Nothing is known to be wrong with the picture: the decode was cancelled or ran out of time.
        case stopped
        /// The file itself could not be read.
        case unreadable
        /// Nothing is wrong with the picture: the machine is out of memory or an encoder failed.
        case failed
        /// An argument was out of its range.
        case misuse
    }

    public var category: Category {
        switch self {
        case .empty, .truncated, .broken: .broken
        case .unsupportedFormat, .formatOff, .libraryMissing, .cameraRaw, .noPicture, .behindBytes, .text, .unknownFormat,
            .unsupportedKind:
            .unsupported
        case .tooManyBytes, .tooManyPixels, .sideTooLong, .tooMuchWork: .tooLarge
        case .cancelled, .deadlinePassed: .stopped
        case .unreadable: .unreadable
        case .outOfMemory, .encodingFailed: .failed
        case .invalidSize, .invalidQuality: .misuse
        case .inFile(_, let error): error.category
        }
    }
}

extension ImageError {
    /// The error without the path of its file, for those who must not learn it.
    public var withoutPath: ImageError {
        if case .inFile(_, let error) = self { error.withoutPath } else { self }
    }
}

extension ImageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty:
            "the file is empty where a JPEG, PNG or WebP picture should be"
        case .unsupportedFormat(let name):
            "\(name) pictures are not read; convert them to JPEG, PNG or WebP"
        case .formatOff(let format):
            "\(format.displayName) pictures are switched off here; convert them to JPEG, PNG or WebP"
        case .libraryMissing(let format, let library, let lack):
            ImageError.missing(format, library, lack) + ", or convert the pictures to JPEG, PNG or WebP"
        case .cameraRaw(let name):
            "this is a camera's raw file (\(name)), which is not read; export it as JPEG"
        case .noPicture(let name):
            "this is a \(name), not a picture; it should be a JPEG, PNG or WebP"
        case .behindBytes(let count, let format):
            "this is a \(format.displayName) with \(count) other byte\(count == 1 ? "" : "s") before it; remove \(count == 1 ? "it" : "them")"
        case .text:
            "this is text, not a picture; it should be a JPEG, PNG or WebP"
        case .unknownFormat(let bytes):
            "this is no picture we know, it starts with the bytes \(ImageError.hexadecimal(bytes)); it should be a JPEG, PNG or WebP"
        case .unsupportedKind(let format, let reason):
            "this kind of \(format.displayName) is not read (\(reason)); save it as an ordinary 8-bit "
                + (format.library == nil && format != .gif ? format.displayName : "JPEG, PNG or WebP")
        case .truncated(let format):
            "the \(format.displayName) is cut off: its data ends before the picture does"
        case .broken(let format, let reason):
            "the \(format.displayName) is broken: \(reason)"
        case .tooManyBytes(let got, let limit):
            "the file has \(got) bytes, more than the \(limit) allowed; make it smaller"
        case .tooManyPixels(let width, let height, let limit):
            "the picture has \(width) x \(height) pixels, more than the \(limit) allowed; make it smaller"
        case .sideTooLong(let width, let height, let limit):
            "the picture has \(width) x \(height) pixels, where a side may have \(limit); make it smaller"
        case .tooMuchWork(let format, let reason):
            "the \(format.displayName) is too much work for its size: \(reason); save it anew as an ordinary \(format.displayName)"
        case .cancelled:
            "the picture was given up before it was decoded"
        case .deadlinePassed:
            "the picture could not be decoded in the time that it had"
        case .outOfMemory(let format):
            "there is not enough memory for this \(format.displayName)"
        case .unreadable(let reason):
            "the file cannot be read: \(reason)"
        case .inFile(let path, let error):
            "\(path): \(error.description)"
        case .invalidSize(let width, let height, let samples):
            "\(samples) samples do not make a picture of \(width) x \(height) pixels with 3 samples each"
        case .invalidQuality(let quality):
            "the JPEG quality is \(quality), it should be 1...100"
        case .encodingFailed(let format, let reason):
            "the picture cannot be written as \(format.displayName): \(reason)"
        }
    }

    private static func missing(_ format: ImageFormat, _ library: DecoderLibrary, _ lack: DecoderLibrary.Lack) -> String {
        let what =
            switch lack {
            case .library: "which is not on this machine"
            case .version(let reason): "which is here in a version that cannot be used (\(reason))"
            case .decoder: "which has no decoder for them on this machine"
            }
        return "\(format.displayName) pictures are read with \(library.rawValue), \(what); \(library.remedy(for: lack, format))"
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: " ")
    }
}
