import CImaging

/// A library that is not linked but loaded when the first picture comes that needs it, so that a machine without it does everything else. The names
/// under which each is looked for stand in CImaging's `libraries.c`.
public enum DecoderLibrary: String, Sendable, CaseIterable {
    case tiff = "libtiff"
    case heif = "libheif"

    /// What a picture waits for.
    public enum Lack: Sendable, Equatable {
        /// The library itself.
        case library
        /// A function that the library has since some version.
        case version(reason: String)
        /// The part of libheif that decodes this kind of picture; some systems have it as a package of its own.
        case decoder
    }

    /// Loads the library where that was not tried before.
    /// - Returns: what it lacks, none if it can be used.
    public var lack: Lack? {
        let library =
            switch self {
            case .tiff: CI_LIBRARY_TIFF
            case .heif: CI_LIBRARY_HEIF
            }
        let (status, message) = withMessage { ci_library_load(library, $0) }
        return status == CI_OK ? nil : message.isEmpty ? .library : .version(reason: message)
    }

    /// How to get it, as a clause.
    func remedy(for lack: Lack, _ format: ImageFormat) -> String {
        switch (self, lack) {
        case (.tiff, .library): "install it (Debian: apt-get install libtiff6, Homebrew: brew install libtiff)"
        case (.heif, .library): "install it (Debian: apt-get install libheif1, Homebrew: brew install libheif)"
        case (_, .version): "install a newer one"
        case (_, .decoder):
            "install one (Debian: apt-get install libheif-plugin-\(format == .avif ? "dav1d" : "libde265"), Homebrew: brew install libheif)"
        }
    }
}
