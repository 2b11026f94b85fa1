import Foundation

/// The columns with a meaning of their own. Any other column is an attribute.
enum Column {
    static let product = ["title", "category", "brand", "price", "currency", "url", "in_stock", "description"]
    static let image = ["view", "color", "caption", "split"]
    static let required = ["image", "product_id"]
    static let splits: Set<String> = ["train", "val", "query", "gallery"]
    /// What prepared datasets hold for training alone; long texts, and no attribute that anybody filters by.
    static let training = ["trimmed_description"]
    static let known = Set(product + image + training)

    /// A reason in words, as an error.
    struct Reason: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    // MARK: Names

    /// The name a column is kept under: one with a meaning is also known in capitals and with blanks (`Product ID`), another keeps its own.
    static func named(_ head: String) -> String {
        let name = head.trimmingCharacters(in: .whitespacesAndNewlines).oneSpelling
        return byLetters[letters(name)] ?? name
    }

    /// Lower case, without what separates words.
    private static func letters(_ name: String) -> String {
        name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" && $0 != "." && $0 != "\u{A0}" }
    }

    private static let byLetters: [String: String] = {
        var names: [String: String] = [:]
        for name in required + product + image { names[letters(name)] = name }
        return names
    }()

    /// What a head that is no column probably means: a word for a column in a language or shop system in use, or a slip of the pen.
    static func meant(by head: String) -> String? {
        let head = letters(head)
        guard head.count > 1, byLetters[head] == nil else { return nil }
        for (column, words) in otherWords where words.contains(head) { return column }
        guard head.count >= 4 else { return nil }
        return byLetters.sorted { $0.key < $1.key }.first { $0.key.count >= 4 && areOneSlipApart($0.key, head) }?.value
    }

    private static let otherWords: [(column: String, words: Set<String>)] = [
        (
            "image",
            [
                "bild", "bilder", "bilddatei", "foto", "photo", "picture", "img", "images", "imagesrc", "imageurl", "imagepath",
                "file",
                "filename", "path", "datei", "dateiname", "imagen", "immagine", "imagelink", "imagefile", "obraz", "afbeelding",
            ]
        ),
        (
            "product_id",
            [
                "id", "sku", "artikelnummer", "artikelnr", "artnr", "produktid", "produktnummer", "articleid", "itemid", "handle",
                "articleno", "productcode", "produitid", "garmentid",
            ]
        ),
        ("title", ["titel", "titre", "titulo", "título", "titolo", "name", "produktname", "productname", "bezeichnung", "nom"]),
        ("category", ["kategorie", "catégorie", "categorie", "categoria", "categoría", "producttype", "type", "warengruppe"]),
        ("brand", ["marke", "marque", "marca", "hersteller", "manufacturer", "vendor", "merk"]),
        (
            "price",
            ["preis", "prix", "precio", "prezzo", "prijs", "cena", "verkaufspreis", "bruttopreis", "saleprice", "variantprice"]
        ),
        ("currency", ["währung", "waehrung", "devise", "moneda", "valuta"]),
        ("url", ["link", "adresse", "producturl", "productlink"]),
        ("in_stock", ["lagernd", "verfügbar", "verfuegbar", "available", "availability", "stock", "auflager"]),
        ("description", ["beschreibung", "beschrijving", "descripción", "descripcion", "descrizione", "desc"]),
        ("color", ["colour", "farbe", "couleur", "colore", "kleur", "kolor"]),
        ("view", ["ansicht", "vue"]),
        ("caption", ["bildunterschrift", "légende"]),
        ("split", ["subset"]),
    ]

    /// One letter more, less, changed, or two neighbours in the wrong order.
    private static func areOneSlipApart(_ one: String, _ other: String) -> Bool {
        var (one, other) = (Array(one), Array(other))
        while let a = one.first, a == other.first {
            one.removeFirst()
            other.removeFirst()
        }
        while let a = one.last, a == other.last {
            one.removeLast()
            other.removeLast()
        }
        return max(one.count, other.count) <= 1 || (one.count == 2 && one == other.reversed())
    }

    // MARK: Values

    /// A column's value in the one form in which it is kept, or the reason why it has none.
    static func canonical(_ column: String, _ text: String, price style: PriceText.Style = .point) -> Result<String, Reason> {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        switch column {
        case "price": return PriceText.value(of: trimmed, style).map(number)
        case "in_stock":
            switch trimmed.lowercased() {
            case "true", "yes", "1", "ja", "wahr": return .success("true")
            case "false", "no", "0", "nein", "falsch": return .success("false")
            default: return .failure(Reason("in_stock '\(text)' is neither true nor false"))
            }
        case "split":
            guard splits.contains(trimmed) else {
                return .failure(Reason("the split '\(text)' is none of train, val, query, gallery"))
            }
            return .success(trimmed)
        default:
            return .success(text)
        }
    }

    /// A number as text: whole numbers without a fraction, others in the shortest form that reads back the same.
    static func number(_ value: Double) -> String {
        // Beyond 2^53 a Double no longer tells neighbouring whole numbers apart.
        if value.rounded() == value, abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return String(value)
    }
}
