import CStemmer

/// The language in which a catalogue's titles and descriptions are written: it decides which words say nothing, and which endings a word may have.
public struct Language: Sendable, Hashable, CustomStringConvertible {
    /// Two letters of ISO 639-1.
    public let code: String

    public static let english = Language(known: "en")

    /// The languages whose endings are known, in the order of their codes.
    public static let all = algorithms.keys.sorted().map(Language.init(known:))

    /// - Parameter code: two letters, `en` for instance; nil for a language whose endings are not known.
    public init?(_ code: String) {
        guard Self.algorithms[code.lowercased()] != nil else { return nil }
        self.code = code.lowercased()
    }

    private init(known code: String) { self.code = code }

    public var description: String { code }

    /// What Snowball calls the algorithm of each language.
    private static let algorithms = [
        "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian",
        "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
        "tr": "turkish",
    ]

    /// A word without its endings, by the Snowball algorithm of the language (Porter 2 for English).
    /// - Parameter word: in lower case.
    func stem(_ word: String) -> String {
        guard let stemmer = sb_stemmer_new(Self.algorithms[code], "UTF_8") else { return word }
        defer { sb_stemmer_delete(stemmer) }
        var word = word
        return word.withUTF8 { bytes in
            guard let stem = sb_stemmer_stem(stemmer, bytes.baseAddress, Int32(bytes.count)) else {
                return String(decoding: bytes, as: UTF8.self)
            }
            return String(
                decoding: UnsafeBufferPointer(start: stem, count: Int(sb_stemmer_length(stemmer))), as: UTF8.self)
        }
    }

    /// Words that say nothing about a garment.
    func isFiller(_ word: String) -> Bool { Self.fillers[code]?.contains(word) ?? false }

    private static let fillers: [String: Set<String>] = [
        "da":
            "af alle at de den der det du eller en er et for fra har hvor i ikke jeg men med min mit noget og om på som til ud uden vi",
        "de": """
        aber als am an auf aus bei bin bitte das dem den der des die doch durch ein eine einem einen einer eines er es etwas für gegen hat ich im \
        in ist ja kein keine mein mit möchte nach nicht noch nur oder ohne sehr sie sind so soll suche über um und unter vom von vor was \
        wie wir zu zum zur
        """,
        "en": """
        a about all am an and any are as at be but by can could do find for from had has have i im in into is it its like looking me my need no \
        not of on one or our please show similar so some something that the their them these they this to too very want was we what where \
        which who will with without would you your
        """,
        "es":
            "a al algo así busco como con de del el ella en es esta este la las lo los me mi muy no o para pero por que quiero sin sobre su un una unas uno unos y ya",
        "fi": "ei että ja jos joka kanssa kuin mutta myös ne niin on se sen tai",
        "fr": """
        à au aux avec ce ces cette chez comme d dans de des du elle en est et il j je l la le les leur ma mais mes mon ne nous on ou où par pas \
        plus pour que qui s sans ses son sur un une veux vous y
        """,
        "hu": "a az egy és ha hogy is kell meg nem van vagy",
        "it":
            "a ai al alla anche c che chi come con cosa d da dal dalla dei del della delle di e ed è gli i il in io l la le lo ma mi nel nella non o per più quello questa questo se senza si su sul un una uno vorrei",
        "nl":
            "aan als bij dan dat de deze die dit een en er het hoe iets ik in is maar me met mijn naar niet of om onder ook op over te tot uit van voor was wat we wil zonder zoek",
        "no": "alle at av den det du eller en er et for fra har i ikke jeg men med min noe og om på som til uten vi",
        "pt":
            "a ao aos as com como da das de do dos e ela ele em entre era essa esse esta este eu já mais mas na não nas no nos o os ou para pela pelo por quero que se sem seu sua um uma uns",
        "ro":
            "a acest ai al ale am ca care ce cu de din dintre este fără în la mai nu o pe pentru prin sau se și un una unei unui",
        "ru": "а без бы в во для до за и из или к как ко на не но о об от по под при с со то у хочу что я",
        "sv": "alla att av de den det du eller en ett för från har i inte jag med men min något och om på som till utan vi",
        "tr": "bir bu da de gibi ile için mi ne o ve veya ya",
    ].mapValues { Set($0.split(separator: " ").map(String.init)) }
}
