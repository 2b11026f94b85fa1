import Foundation

/// A file that a model needs.
struct WantedFile: Equatable {
    let name: String
    let url: URL
    /// In bytes, where the source says it.
    var size: Int?
    /// 64 hexadecimal digits, where the source says it.
    let sha256: String?
    /// What tells this content from others.
    let identity: String
}

/// Brings one file into a model's partial folder: goes on where an earlier try ended, tries again what may pass, and proves size and sum.
struct FileFetch {
    let web: Web
    let token: String?
    let persistence: Persistence
    let partial: PartialModel
    /// Bytes of this file that are there.
    let progress: (Int) -> Void

    /// - Throws: ``HubError``; ``Trouble`` for an answer that only the caller can explain.
    func run(_ file: WantedFile) throws -> FetchedModel.File {
        if let whole = partial.whole(file.name, identity: file.identity) {
            progress(whole.size)
            return whole
        }
        let part = try partial.part(file)
        progress(part.position)
        do {
            var wrongSums = 0
            return try persistence.run(file.name, kept: partial.folder, progress: { part.position }) {
                var resumed = part.position > 0
                if file.size == nil || part.position < file.size ?? 0 || file.size == 0 {
                    resumed = try transfer(file, to: part)
                }
                let digest = part.digest()
                if let expected = file.sha256, digest != expected {
                    try part.beginAnew()
                    // Old bytes may have been at fault, or one transfer; hardly two whole ones.
                    if !resumed { wrongSums += 1 }
                    guard wrongSums < 2 else { throw HubError.sum(file: file.name, expected: expected, found: digest) }
                    throw Trouble.connection("its SHA-256 is wrong after the transfer")
                }
                let fetched = FetchedModel.File(name: file.name, size: part.position, sha256: digest, identity: file.identity)
                try partial.accept(part, as: fetched)
                return fetched
            }
        } catch let error as HubError {
            switch error {
            case .size, .sum: partial.remove(part: file.name)
            default: try? part.sync()
            }
            guard case .diskFull = error else { throw error }
            throw HubError.diskFull(file: file.name, missing: file.size.map { $0 - part.position })
        } catch {
            try? part.sync()
            throw error
        }
    }

    /// One request for what is missing.
    /// - Returns: whether bytes of earlier requests belong to the whole.
    private func transfer(_ file: WantedFile, to part: PartialFile) throws -> Bool {
        let begin = part.position
        var headers: [(name: String, value: String)] = []
        if begin > 0 {
            headers.append(("Range", "bytes=\(begin)-"))
            // Without a tag the sum decides.
            if let tag = part.state.tag { headers.append(("If-Range", tag)) }
        }
        let receiver = Receiver(file, part, begin: begin, progress: progress)
        do {
            try web.get(file.url, token: token, headers: headers, into: receiver)
        } catch Trouble.status(let head, _, _) where head.status == 416 && begin > 0 {
            try part.beginAnew()
            throw Trouble.connection("the server has no more than \(begin) bytes of it; it is fetched anew")
        }
        if let size = receiver.size, part.position < size {
            throw Trouble.connection("the answer ended after \(part.position) of \(size) bytes")
        }
        return receiver.resumed
    }

    /// Writes what comes, as far as it is what was asked for.
    private final class Receiver: Web.Receiver {
        private let file: WantedFile
        private let part: PartialFile
        private let begin: Int
        private let progress: (Int) -> Void
        /// Of the whole, once known.
        private(set) var size: Int?
        private(set) var resumed = false

        init(_ file: WantedFile, _ part: PartialFile, begin: Int, progress: @escaping (Int) -> Void) {
            (self.file, self.part, self.begin, self.progress) = (file, part, begin, progress)
            size = file.size
        }

        func receive(_ head: HTTPHead, linked: Web.Linked) throws {
            if let coding = head["content-encoding"], coding.lowercased() != "identity" {
                throw Trouble.permanent("the server sends it in the coding \(coding), which was not asked for")
            }
            if let told = linked.size { try check(told, "the hub passes on to \(told)") }
            if let tag = linked.tag, let sum = file.sha256, tag.count == 64, tag != sum {
                throw HubError.badAnswer(
                    place: file.url.absoluteString,
                    reason: "the SHA-256 of \(file.name) is \(sum) in its listing and \(tag) in its answer")
            }
            let whole: Int?
            if head.status == 206 {
                guard begin > 0, let range = head.range, range.start == begin else {
                    throw Trouble.permanent(
                        "the server sends the range \(head["content-range"] ?? "of no place"), expected one from byte \(begin)")
                }
                if let tag = part.state.tag, let now = head.strongTag, now != tag {
                    try part.beginAnew()
                    throw Trouble.connection("it has changed since it was begun; it is fetched anew")
                }
                resumed = true
                whole = range.size ?? head.length.map { begin + $0 }
            } else {
                if begin > 0 { try part.beginAnew() }
                whole = head.length
            }
            if let whole {
                try check(whole, "the server has \(whole)")
                size = whole
            }
            try part.follows(tag: head.strongTag ?? (resumed ? part.state.tag : nil))
        }

        func receive(_ bytes: UnsafeRawBufferPointer) throws {
            if let size, part.position + bytes.count > size {
                throw HubError.size(file: file.name, expected: size, found: "the server sends more")
            }
            try part.append(bytes)
            progress(part.position)
        }

        private func check(_ told: Int, _ found: String) throws {
            if let size = file.size, size != told { throw HubError.size(file: file.name, expected: size, found: found) }
        }
    }
}
