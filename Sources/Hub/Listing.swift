import Foundation

/// A file that a hub lists, with what it says about its content.
struct ListedFile: Equatable, Sendable {
    let name: String
    /// In bytes.
    let size: Int?
    /// 64 lower-case hexadecimal digits; large files have one.
    let sha256: String?
    /// Git's name for the content of a small one.
    let blob: String?

    /// What tells this content from any other that the name may have had; nil where the hub says nothing of the kind.
    var identity: String? { sha256 ?? blob }
}

/// What a hub says about a repository at one commit.
struct Listing: Equatable, Sendable {
    /// 40 hexadecimal digits.
    let commit: String
    let files: [ListedFile]
    /// Whether its owner asks for agreement first.
    let isGated: Bool
    let licence: Licence?

    subscript(name: String) -> ListedFile? { files.first { $0.name == name } }

    /// The size of a file that nobody has: whoever says more says nonsense, and sums of such sizes could not be taken.
    static let largestFile = 1 << 50

    /// A listing is a few kilobytes; beyond this it is none.
    static let limit = 16 << 20

    /// - Parameters:
    ///   - data: the hub's JSON.
    ///   - name: of the repository, for errors.
    ///   - place: the address that it came from, for errors.
    /// - Throws: ``HubError/badAnswer(place:reason:)``, ``HubError/oddFileName(name:file:)``.
    init(_ data: Data, of name: String, from place: String) throws(HubError) {
        let answer: Answer
        do { answer = try JSONDecoder().decode(Answer.self, from: data) } catch {
            throw .badAnswer(place: place, reason: "its answer is not the JSON of a repository (\(Self.reason(error)))")
        }
        guard Self.isHex(answer.sha, count: 40) else {
            throw .badAnswer(place: place, reason: "the commit is \"\(answer.sha.prefix(60))\", expected 40 hexadecimal digits")
        }
        var files: [ListedFile] = []
        var names: Set<String> = []
        for sibling in answer.siblings {
            guard FileName.staysBelow(sibling.rfilename) else { throw .oddFileName(name: name, file: sibling.rfilename) }
            guard names.insert(sibling.rfilename).inserted else {
                throw .badAnswer(place: place, reason: "it lists \(sibling.rfilename) twice")
            }
            let (size, sum) = (sibling.lfs?.size ?? sibling.size, sibling.lfs?.digest?.lowercased())
            guard (0...Self.largestFile).contains(size ?? 0), sum.map({ Self.isHex($0, count: 64) }) ?? true else {
                throw .badAnswer(place: place, reason: "the size or the SHA-256 of \(sibling.rfilename) is none")
            }
            files.append(ListedFile(name: sibling.rfilename, size: size, sha256: sum, blob: sibling.blobId))
        }
        commit = answer.sha.lowercased()
        self.files = files
        isGated = answer.gated?.isTrue ?? false
        // It is shown on a terminal.
        licence = answer.terms.map { Licence(name: String($0.prefix(100).filter { ("\u{20}"..."\u{7E}").contains($0) })) }
    }

    /// Whether a text is a digest of so many digits.
    static func isHex(_ text: String, count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "the key \(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of another kind"
        default: "it is not well formed"
        }
    }

    /// The hub's JSON, as far as it is looked at.
    private struct Answer: Decodable {
        struct Sibling: Decodable {
            struct Large: Decodable {
                let sha256: String?
                /// The same, as some mirrors call it.
                let oid: String?
                let size: Int?
                var digest: String? { sha256 ?? oid }
            }
            let rfilename: String
            let size: Int?
            let blobId: String?
            let lfs: Large?
        }
        struct Card: Decodable {
            let license: Words?
            let license_name: Words?
        }
        let sha: String
        let siblings: [Sibling]
        let gated: Gate?
        let cardData: Card?
        let tags: [String]?

        /// `other` stands for a name that the owner gives.
        var terms: String? {
            let tagged = tags?.first { $0.hasPrefix("license:") }.map { String($0.dropFirst(8)) }
            let named = cardData?.license?.text ?? tagged
            return named == "other" ? cardData?.license_name?.text ?? named : named
        }
    }

    /// `false`, or how requests are answered: `auto`, `manual`.
    private struct Gate: Decodable {
        let isTrue: Bool

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            isTrue = (try? value.decode(Bool.self)) ?? true
        }
    }

    /// A text, or several; anything else says nothing here.
    private struct Words: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            let all = (try? value.decode(String.self)).map { [$0] } ?? (try? value.decode([String].self)) ?? []
            text = all.isEmpty ? nil : all.joined(separator: ", ")
        }
    }
}
