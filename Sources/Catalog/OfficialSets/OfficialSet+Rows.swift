extension OfficialSet {
    /// Gives each row the path of its picture below a folder. Rows that name no file are told and left out.
    mutating func keepRowsWithPictures(in folder: String) {
        var finder = PictureFinder(folder: folder)
        var kept: [Row] = []
        kept.reserveCapacity(rows.count)
        for var row in rows {
            switch finder.path(of: row.name) {
            case .success(let path) where (try? FileStatus(ofPath: path))?.isRegular == true:
                row.path = path
                kept.append(row)
            case .success(let path):
                unread += 1
                report(source, row.line, "the picture \(row.name) is not there; expected the file \(path)")
            case .failure(let reason):
                unread += 1
                report(source, row.line, reason.text)
            }
        }
        rows = kept
    }

    /// Takes rows out whose pictures can't be used, and tells why.
    /// - Parameter reasons: by the row's index, to stand behind the picture's name.
    public mutating func leaveOut(_ reasons: [Int: String]) {
        guard !reasons.isEmpty else { return }
        for (index, reason) in reasons.sorted(by: { $0.key < $1.key }) {
            unread += 1
            report(
                rows[index].line == nil ? rows[index].path : source, rows[index].line, "the picture \(rows[index].name) \(reason)"
            )
        }
        rows = rows.indices.filter { reasons[$0] == nil }.map { rows[$0] }
    }

    /// Takes rows whole whose boxes don't fit their pictures, and tells so.
    public mutating func takeWhole(_ reasons: [Int: String]) {
        for (index, reason) in reasons.sorted(by: { $0.key < $1.key }) {
            report(source, rows[index].line, "the picture \(rows[index].name) is taken whole, for \(reason)")
            rows[index].crop = nil
        }
    }

    /// Hands validation rows that the official files name back to training, to be cut out anew.
    public mutating func joinValidation() {
        for index in rows.indices where rows[index].fields["split"] == "val" { rows[index].fields["split"] = "train" }
    }

    /// The rows as those of a manifest that lies at the root.
    var manifestRows: [ManifestRow] {
        rows.map { row in
            let image = row.path.hasPrefix(root + "/") ? String(row.path.dropFirst(root.count + 1)) : row.path
            return ManifestRow(line: row.line, image: image, path: row.path, productID: row.productID, fields: row.fields)
        }
    }
}
