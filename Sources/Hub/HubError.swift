/// Why a model could not be fetched.
public enum HubError: Error, Equatable, Sendable {
    /// A name that is neither of a repository, nor an address, nor of the list.
    case badName(String, near: [String])
    case badRevision(String)
    case badEndpoint(String)
    /// `HF_HUB_OFFLINE` is set.
    case offline(String)
    case noSuchModel(name: String, page: String, hasToken: Bool, near: [String])
    case noSuchRevision(name: String, revision: String)
    /// Its owner asks for agreement before it can be downloaded.
    case gated(name: String, page: String, hasToken: Bool)
    case refusedToken(place: String, origin: String)
    case badToken(origin: String)
    case noWeights(name: String, files: [String])
    /// A file name of a hub's that could lead out of the model's folder.
    case oddFileName(name: String, file: String)
    case badAnswer(place: String, reason: String)
    case size(file: String, expected: Int, found: String)
    case sum(file: String, expected: String, found: String)
    /// The server says no, and will say so again.
    case refused(what: String, reason: String)
    /// What may pass did not: the last reason, and where the part lies that was had.
    case gaveUp(what: String, reason: String, tries: Int, kept: String?)
    case tooLittleSpace(place: String, needed: Int, free: Int)
    case diskFull(file: String, missing: Int?)
    case noWrite(path: String, step: String, reason: String)
    /// Something else lies where the model is to go.
    case taken(path: String, by: String)
    case stopped(kept: String?)
}

extension HubError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badName(let name, let near):
            "\(name) names no model: expected one of `stylefinder models fetch`'s list, owner/name or owner/name@revision of the hub, or the "
                + "http(s) address of one file of weights (.safetensors, .pt, .pth, .bin, .ckpt)\(Self.suggestion(near))."
        case .badRevision(let revision):
            "\(revision) is no revision: expected the name of a branch or a tag, or a commit, of letters, digits and . _ - /."
        case .badEndpoint(let text):
            "HF_ENDPOINT is \(text), expected an http(s) address without user, query and fragment."
        case .offline(let name): "HF_HUB_OFFLINE is set, so \(name) is not fetched; unset it, or copy the model's folder here."
        case .noSuchModel(let name, let page, let hasToken, let near):
            "There is no model \(name) at \(page), or "
                + (hasToken ? "your token may not see it" : "it is private and needs a token in HF_TOKEN")
                + Self.suggestion(near) + "."
        case .noSuchRevision(let name, let revision):
            "\(name) has no revision \(revision); expected the name of one of its branches or tags, or a commit."
        case .gated(let name, let page, let hasToken):
            "\(name) is only given to those who accept its terms: accept them on \(page), then "
                + (hasToken
                    ? "try again with the same token (it must be allowed to read gated repositories)."
                    : "set HF_TOKEN to an access token of yours (or log in with the hub's own program, whose token file is read too).")
        case .refusedToken(let place, let origin):
            "\(place) refuses the token from \(origin); expected a valid access token, or none for a public model."
        case .badToken(let origin):
            "The token from \(origin) holds characters that no access token has; expected one line of visible ASCII characters."
        case .noWeights(let name, let files):
            "\(name) has no weights that are read here, with their configuration: its files are "
                + files.prefix(20).joined(separator: ", ")
                + (files.count > 20 ? " and \(files.count - 20) more" : files.isEmpty ? "none" : "")
                + "; expected config.json with model.safetensors or pytorch_model.bin, or open_clip_config.json with "
                + "open_clip_model.safetensors or open_clip_pytorch_model.bin."
        case .oddFileName(let name, let file):
            "\(name) lists a file called \"\(Self.printable(file))\", which could lead out of the model's folder; nothing of it is fetched."
        case .badAnswer(let place, let reason): "\(place) does not answer as a model hub does: \(reason)."
        case .size(let file, let expected, let found):
            "\(file) should have \(expected) bytes, and \(found); the hub's listing and its file contradict each other."
        case .sum(let file, let expected, let found):
            "\(file) was transferred twice with a wrong SHA-256: \(found), expected \(expected); what was had is removed."
        case .refused(let what, let reason): "\(what) can't be fetched: \(reason)."
        case .gaveUp(let what, let reason, let tries, let kept):
            "\(what) could not be fetched in \(tries == 1 ? "one try" : "\(tries) tries"): \(reason)"
                + (kept.map { "; what is there is kept in \($0), and the same command goes on from there." } ?? ".")
        case .tooLittleSpace(let place, let needed, let free):
            "\(place) has \(Bytes.text(free)) free, and \(Bytes.text(needed)) are missing for this model; make room, or name another "
                + "place with --to."
        case .diskFull(let file, let missing):
            "The disk is full: \(missing.map { "\(Bytes.text($0)) are missing for" } ?? "there is no room for") \(file); what is there is "
                + "kept, and the same command goes on from there once there is room."
        case .noWrite(let path, let step, let reason): "\(path) can't be written: \(step) failed: \(reason)."
        case .taken(let path, let other):
            "\(path) holds \(other); expected an empty folder, one that doesn't exist, or this model fetched before."
        case .stopped(let kept):
            "Stopped" + (kept.map { "; what is there is kept in \($0), and the same command goes on from there." } ?? ".")
        }
    }

    private static func suggestion(_ near: [String]) -> String {
        near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
    }

    private static func printable(_ text: String) -> String {
        String(text.prefix(80).unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "\u{FFFD}" : Character($0) })
    }
}

/// Sizes as people read them.
public enum Bytes {
    /// In powers of 1000, three digits.
    public static func text(_ count: Int) -> String {
        var (value, units) = (Double(count), ["bytes", "kB", "MB", "GB", "TB"][...])
        while value >= 999.5, units.count > 1 {
            value /= 1000
            units = units.dropFirst()
        }
        let unit = units[units.startIndex]
        if unit == "bytes" { return "\(count) bytes" }
        let scale = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
        let rounded = (value * scale).rounded() / scale
        return scale == 1 ? "\(Int(rounded)) \(unit)" : "\(rounded) \(unit)"
    }
}
