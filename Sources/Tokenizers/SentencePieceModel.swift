/// What a SentencePiece model (Kudo and Richardson 2018, arXiv:1808.06226) says: pieces with scores, and how text is made ready for them.
///
/// Read from `spiece.model`, a `ModelProto`, or put together from a `tokenizer.json`; only Unigram models (Kudo 2018, arXiv:1804.10959),
/// as T5 and SigLIP have. What is here has been checked: what cuts a text by it need not look again.
struct SentencePieceModel {
    /// The format's codes.
    enum Kind: UInt64 {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    struct Piece {
        let text: [UInt8]
        let score: Double
        let kind: Kind
    }

    private(set) var pieces: [Piece] = []
    private(set) var normalizer = SentencePieceNormalizer(characters: nil)
    /// Whether what no piece spells becomes the pieces of its bytes.
    private(set) var hasByteFallback = false
    /// The ids of the pieces `<0x00>` to `<0xFF>`; empty unless all are there.
    private(set) var byteIDs: [Int32] = []
    /// The id of `</s>`, which ends every text.
    private(set) var end: Int32 = 0
    /// The id of what no piece spells.
    private(set) var unknown: Int32 = 0

    static let endPiece = "</s>"
    static let unknownPiece = "<unk>"

    // MARK: spiece.model

    /// - Parameter path: for messages only.
    init(file bytes: [UInt8], path: String) throws(TokenizerError) {
        do {
            try read(bytes[...])
        } catch {
            throw .notASentencePieceModel(path: path, reason: error.reason)
        }
        guard modelType == Self.unigram else {
            let found = modelType == 2 ? "BPE" : modelType == 3 ? "WORD" : modelType == 4 ? "CHAR" : "\(modelType)"
            throw .unknownTokenizer(path: path, found: "a SentencePiece model of type \(found)")
        }
        try check(path: path)
    }

    private static let unigram: UInt64 = 1
    private var modelType: UInt64 = 1

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(ProtobufFields.Failure) {
        var fields = ProtobufFields(bytes)
        while let (field, value) = try fields.next() {
            switch (field, value) {
            case (1, .bytes(let inner)): pieces.append(try Self.piece(inner))
            case (2, .bytes(let inner)): try readTrainer(inner)
            case (3, .bytes(let inner)): try readNormalizer(inner)
            case (1...3, _): throw .init(reason: "its field \(field) is no message")
            default: continue  // samples for its own test, and how ids become text
            }
        }
        if pieces.isEmpty { throw .init(reason: "it has no pieces") }
    }

    private static func piece(_ bytes: ArraySlice<UInt8>) throws(ProtobufFields.Failure) -> Piece {
        var fields = ProtobufFields(bytes)
        var (text, score, kind): ([UInt8], Double, Kind) = ([], 0, .normal)
        while let (field, value) = try fields.next() {
            switch (field, value) {
            case (1, .bytes(let bytes)): text = Array(bytes)
            case (2, .word(let word)): score = Double(Float(bitPattern: word))
            case (3, .number(let code)):
                guard let known = Kind(rawValue: code) else { throw .init(reason: "it has a piece of the unknown kind \(code)") }
                kind = known
            case (1...3, _): throw .init(reason: "it has a piece whose field \(field) is of another type")
            default: continue
            }
        }
        return Piece(text: text, score: score, kind: kind)
    }

    private mutating func readTrainer(_ bytes: ArraySlice<UInt8>) throws(ProtobufFields.Failure) {
        var fields = ProtobufFields(bytes)
        while let (field, value) = try fields.next() {
            switch (field, value) {
            case (3, .number(let type)): modelType = type
            case (24, .number(let flag)): normalizer.marksWordEnds = flag != 0
            case (35, .number(let flag)): hasByteFallback = flag != 0
            case (3, _), (24, _), (35, _): throw .init(reason: "its trainer's field \(field) is of another type")
            default: continue
            }
        }
    }

    private mutating func readNormalizer(_ bytes: ArraySlice<UInt8>) throws(ProtobufFields.Failure) {
        var fields = ProtobufFields(bytes)
        while let (field, value) = try fields.next() {
            switch (field, value) {
            case (2, .bytes(let map)):
                do {
                    normalizer.characters = map.isEmpty ? nil : try CharacterMap(Array(map))
                } catch {
                    throw .init(reason: "its character map \(error.reason)")
                }
            case (3, .number(let flag)): normalizer.addsDummyPrefix = flag != 0
            case (4, .number(let flag)): normalizer.removesExtraBlanks = flag != 0
            case (5, .number(let flag)): normalizer.escapesBlanks = flag != 0
            case (2...5, _): throw .init(reason: "its normalizer's field \(field) is of another type")
            default: continue
            }
        }
    }

    // MARK: tokenizer.json

    /// Pieces in the order of their ids, of which `tokenizer.json` says no kinds.
    init(pieces: [(text: String, score: Double)], unknown: Int, characters: CharacterMap?, path: String) throws(TokenizerError) {
        guard pieces.indices.contains(unknown) else {
            throw .notATokenizer(path: path, reason: "its unk_id is \(unknown), and it has \(pieces.count) tokens")
        }
        self.pieces = pieces.enumerated().map { id, piece in
            Piece(text: Array(piece.text.utf8), score: piece.score, kind: id == unknown ? .unknown : .normal)
        }
        normalizer.characters = characters
        try check(path: path)
    }

    // MARK: Checks

    private mutating func check(path: String) throws(TokenizerError) {
        func refuse(_ reason: String) -> TokenizerError { .notASentencePieceModel(path: path, reason: reason) }
        var ids: [[UInt8]: Int] = [:]
        var unknowns: [Int] = []
        for (id, piece) in pieces.enumerated() {
            guard !piece.text.isEmpty, !piece.text.contains(0), String(validating: piece.text, as: UTF8.self) != nil else {
                throw refuse("its piece \(id) is empty or no text")
            }
            guard piece.score.isFinite else { throw refuse("the score of its piece \(id) is \(piece.score)") }
            if let first = ids.updateValue(id, forKey: piece.text) {
                throw refuse("its pieces \(first) and \(id) are both \"\(String(decoding: piece.text, as: UTF8.self))\"")
            }
            if piece.kind == .unknown { unknowns.append(id) }
        }
        guard let unknown = unknowns.first, unknowns.count == 1 else {
            throw refuse("it has \(unknowns.count) unknown pieces; one is needed")
        }
        guard let end = ids[Array(Self.endPiece.utf8)], end != unknown else {
            throw .missingToken(path: path, token: Self.endPiece)
        }
        (self.end, self.unknown) = (Int32(end), Int32(unknown))
        normalizer.userDefined = pieces.filter { $0.kind == .userDefined }.map(\.text).sorted { $0.count > $1.count }
        var known: [UInt8: Int32] = [:]
        for id in pieces.indices { if let byte = byte(id) { known[byte] = Int32(id) } }
        byteIDs = known.count == 256 ? known.sorted { $0.key < $1.key }.map(\.value) : []
        if hasByteFallback, byteIDs.isEmpty { throw refuse("it falls back to bytes, and has \(known.count) of 256 byte pieces") }
    }

    /// The byte that a piece such as `<0xC3>` stands for.
    func byte(_ id: Int) -> UInt8? {
        let text = pieces[id].text
        guard pieces[id].kind == .byte, text.count == 6 else { return nil }
        return UInt8(String(decoding: text[3..<5], as: UTF8.self), radix: 16)
    }
}
