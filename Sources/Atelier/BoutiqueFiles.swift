import Foundation

/// The files of one generated folder. Each appears whole or not at all.
struct BoutiqueFiles: Sendable {
    let path: String

    private static let marker = "boutique.json"

    /// Makes the folder ours, or finds that it is.
    /// - Parameters:
    ///   - marker: what `boutique.json` says for these options.
    ///   - words: the options, for people.
    func claim(marker: String, words: String) throws(AtelierError) {
        let files = FileManager.default
        var isFolder: ObjCBool = false
        if files.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { throw .notABoutique(path: path) }
            let names: [String]
            do { names = try files.contentsOfDirectory(atPath: path) } catch {
                throw .noRead(path: path, reason: Self.reason(error))
            }
            if names.contains(Self.marker) {
                guard let found = files.contents(atPath: path + "/" + Self.marker) else {
                    throw .noRead(path: path + "/" + Self.marker, reason: "no permission")
                }
                let text = String(decoding: found, as: UTF8.self)
                if text != marker { throw .otherOptions(path: path, found: Self.words(of: text), wanted: words) }
            } else if names.contains(where: { !$0.hasSuffix(".part") }) {
                throw .notABoutique(path: path)
            }
        }
        do { try files.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw .noWrite(path: path, reason: Self.reason(error))
        }
        try writeIfChanged(Self.marker, marker)
    }

    private static func words(of marker: String) -> String {
        struct Found: Decodable {
            var drawing: Int
            var garments: Int
            var views: Int
            var width: Int
            var seed: UInt64
            var test_only: Bool
            var layout: String?
        }
        guard let found = try? JSONDecoder().decode(Found.self, from: Data(marker.utf8)) else {
            return "options that can't be read"
        }
        if found.drawing != Boutique.version { return "another version of the drawings" }
        let kind = (found.test_only ? ", test only" : "") + (found.layout.map { ", layout \($0)" } ?? "")
        return "\(found.garments) garments, \(found.views) views, width \(found.width), seed \(found.seed)\(kind)"
    }

    func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// Leaves a file alone that says so already.
    func writeIfChanged(_ name: String, _ text: String) throws(AtelierError) {
        if FileManager.default.contents(atPath: path + "/" + name) == Data(text.utf8) { return }
        try write(Array(text.utf8), to: name)
    }

    /// Under another name first: a file with its own name is whole.
    func write(_ bytes: [UInt8], to name: String) throws(AtelierError) {
        let target = path + "/" + name
        let part = target + ".part"
        var descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        if descriptor < 0, errno == ENOENT, let slash = target.lastIndex(of: "/") {
            do {
                try FileManager.default.createDirectory(atPath: String(target[..<slash]), withIntermediateDirectories: true)
            } catch {
                throw .noWrite(path: target, reason: Self.reason(error))
            }
            descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        }
        guard descriptor >= 0 else { throw Self.failure(target, errno) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let number = errno
                close(descriptor)
                unlink(part)
                throw Self.failure(target, number)
            }
            done += count
        }
        guard close(descriptor) == 0, rename(part, target) == 0 else {
            let number = errno
            unlink(part)
            throw Self.failure(target, number)
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> AtelierError {
        number == ENOSPC || number == EDQUOT
            ? .diskFull(path: path) : .noWrite(path: path, reason: String(cString: strerror(number)))
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? CocoaError, let inner = error.userInfo[NSUnderlyingErrorKey] as? any Error {
            return (inner as? POSIXError).map { String(cString: strerror(Int32($0.code.rawValue))) } ?? String(describing: inner)
        }
        return error.localizedDescription
    }
}
