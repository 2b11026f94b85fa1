/// Everything that can stop the drawing of a boutique.
public enum AtelierError: Error, Sendable, Hashable {
    /// A number of the options is out of its range.
    case option(name: String, got: Int, allowed: ClosedRange<Int>)
    /// The folder holds something else, which is not overwritten.
    case notABoutique(path: String)
    /// The folder holds a boutique of other options.
    case otherOptions(path: String, found: String, wanted: String)
    /// A file or folder can't be written.
    case noWrite(path: String, reason: String)
    /// The disk is full.
    case diskFull(path: String)
    /// A file of the folder can't be read.
    case noRead(path: String, reason: String)
    /// cairo or the JPEG encoder could not do its work.
    case drawing(reason: String)
}

extension AtelierError: CustomStringConvertible {
    /// One sentence: what was wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .option(let name, let got, let allowed):
            "\(got) is no number of \(name); give one from \(allowed.lowerBound) to \(allowed.upperBound)."
        case .notABoutique(let path):
            "\(path) exists and is not a generated catalogue; give a new folder."
        case .otherOptions(let path, let found, let wanted):
            "\(path) holds a catalogue generated with \(found), not with \(wanted); give a new folder or the same options."
        case .noWrite(let path, let reason):
            "\(path) can't be written (\(reason)); give a folder that is writable."
        case .diskFull(let path):
            "The disk is full, so \(path) can't be written; make room and run the same command again, which goes on."
        case .noRead(let path, let reason):
            "\(path) can't be read (\(reason)); make it readable for this user."
        case .drawing(let reason):
            "A picture can't be drawn (\(reason)); free some memory and run the same command again."
        }
    }
}
