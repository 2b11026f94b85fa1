public import CLIP
public import Catalog

extension CatalogStore {
    /// The fingerprint under which the catalogue keeps the vectors of a checkpoint: its own. A model that the catalogue knows by a fingerprint
    /// of an earlier version gets its own first; where the catalogue can't be written, its old one is the answer.
    /// - Throws: `CatalogError`, or what `Checkpoint.fingerprint` throws.
    public func fingerprint(of checkpoint: Checkpoint) throws -> String {
        let own = try checkpoint.fingerprint
        // Taking the old ones costs a pass over the weights: only for a catalogue in which one could be.
        let known = try models()
        guard !known.contains(where: { $0.fingerprint == own }),
            known.contains(where: { $0.dimension == checkpoint.configuration.embeddingSize })
        else { return own }
        return try adopt(fingerprint: own, formerly: checkpoint.formerFingerprints)
    }
}
