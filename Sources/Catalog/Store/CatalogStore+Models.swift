import GRDB

extension CatalogStore {
    /// Gives a model its present fingerprint where the catalogue knows it by former ones: its vectors stay. Vectors under several former ones
    /// are joined; of two of one picture the first former one's stays.
    /// - Parameter formerly: former fingerprints, the likeliest first.
    /// - Returns: the fingerprint under which the vectors are to be found: the present one, or a former one in a catalogue that can't be written.
    public func adopt(fingerprint: String, formerly: [String]) throws(CatalogError) -> String {
        let known = Set(try models().map(\.fingerprint))
        let old = formerly.filter { known.contains($0) && $0 != fingerprint }
        guard let first = old.first else { return fingerprint }
        do {
            try write { db in
                // Looked at again within the transaction: another process may have done the same meanwhile.
                if try Int.fetchOne(db, sql: "SELECT 1 FROM models WHERE fingerprint = ?", arguments: [fingerprint]) == nil {
                    try db.execute(
                        sql: "UPDATE models SET fingerprint = ? WHERE fingerprint = ?", arguments: [fingerprint, first])
                }
                for former in old {
                    // Of another dimension it would be another model's; rows that stay behind go with their model's.
                    for table in ["vectors", "kept_vectors"] {
                        try db.execute(
                            sql: """
                                UPDATE OR IGNORE \(table) SET model_id = (SELECT id FROM models WHERE fingerprint = :new)
                                WHERE model_id = (
                                    SELECT id FROM models WHERE fingerprint = :old
                                    AND dimension = (SELECT dimension FROM models WHERE fingerprint = :new))
                                """, arguments: ["new": fingerprint, "old": former])
                    }
                    try db.execute(
                        sql: """
                            DELETE FROM models WHERE fingerprint = :old
                            AND dimension = (SELECT dimension FROM models WHERE fingerprint = :new)
                            """, arguments: ["new": fingerprint, "old": former])
                }
            }
        } catch CatalogError.readOnly {
            return known.contains(fingerprint) ? fingerprint : first
        } catch CatalogError.locked {
            // Whoever holds it may do so for long; the next one renames.
            return known.contains(fingerprint) ? fingerprint : first
        }
        return fingerprint
    }
}

extension CatalogStore {
    /// Gives a model its place before its first vector, so that it can be searched with while the catalogue is filled.
    /// - Throws: `dimensionConflict`, `invalidDimension`, and what any write throws.
    public func register(_ model: ModelRecord) throws(CatalogError) {
        if try models().contains(model) { return }
        try writeVectors([], of: model)
    }
}
