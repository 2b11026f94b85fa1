/// What the name of a picture says: `WOMEN/Dresses/id_00000002/02_1_front.jpg`.
struct InShopName {
    /// `Men` or `Women`.
    var gender: String?
    /// `Women/Dresses`.
    var category: String?
    /// The last part of the category, in words.
    var thing = "a clothing item"
    /// `02`: which of the item's colours it shows.
    var variant: String?
    /// The variant where it is a word, as in `navy_1_front.jpg`.
    var color: String?
    /// The last word of the name.
    var pose: String?

    init(_ name: String, item: String) {
        var folders = name.split(separator: "/").map(String.init)
        guard let file = folders.popLast() else { return }
        if let last = folders.last, last == item || last.lowercased().hasPrefix("id_") { folders.removeLast() }
        if let first = folders.first?.lowercased(), ["men", "women"].contains(first) {
            gender = first == "men" ? "Men" : "Women"
            folders[0] = first == "men" ? "Men" : "Women"
        }
        if !folders.isEmpty { category = folders.joined(separator: "/") }
        if let last = folders.last, folders.count > 1 || gender == nil {
            thing = last.replacing("_", with: " ").lowercased()
        }
        let parts = file.withoutPathExtension.split(separator: "_").map(String.init)
        guard parts.count > 1 else { return }
        pose = parts.last?.lowercased()
        // What stands before the number and the pose; a colour of several words may hold `_` itself.
        let number = parts.indices.dropFirst().dropLast().last { Int(parts[$0]) != nil } ?? parts.count - 1
        let before = parts[..<number].joined(separator: " ")
        variant = before
        // Only beside a pose: other names begin with anything.
        if let pose, InShopReader.poseWords[pose] != nil, before.contains(where: \.isLetter) {
            color = before.replacing("-", with: " ")
        }
    }
}
