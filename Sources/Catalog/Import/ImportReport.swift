public import Foundation

/// What an import did, counted over everything that was committed.
public struct ImportReport: Sendable, Hashable, Codable {
    /// The manifest or folder that was read.
    public var source: String
    public var format: ManifestFormat
    public var productsAdded = 0
    public var productsUpdated = 0
    public var productsUnchanged = 0
    /// New products that were left out, since too few of their pictures could be read.
    public var productsSkipped = 0
    public var imagesAdded = 0
    /// Same path, same bytes.
    public var imagesUnchanged = 0
    /// Same bytes under another path: id and vectors are kept.
    public var imagesRenamed = 0
    /// Same path, other bytes: the id is kept, vectors are dropped.
    public var imagesChanged = 0
    /// Pictures whose file is not there.
    public var imagesMissing = 0
    /// Files that are no picture that can be read.
    public var imagesBroken = 0
    /// Paths in the catalogue that came from this source and are in it no more.
    public var imagesRemoved: [String] = []
    /// How many of `imagesRemoved` were deleted.
    public var imagesPruned = 0
    /// Folders of the source that held pictures before and hold none now. Their pictures are not pruned without `pruneEmptied`.
    public var foldersEmptied: [String] = []
    /// Files of the catalogue's own media folder that no picture mentioned any more, and that were deleted with `prune`.
    public var strayFilesRemoved = 0
    /// Vectors of an earlier time that were taken again, since a picture of the same content came back.
    public var vectorsRestored = 0
    /// Files of a plain folder that are no pictures, by ending.
    public var filesLeftOut: [String: Int] = [:]
    public var problems: [ManifestProblem] = []
    /// What was read otherwise than it may have been meant; nothing was lost by it.
    public var remarks: [ManifestProblem] = []
    /// True if `shouldStop` ended the import before the last row.
    public var stopped = false

    /// Whether any picture of the source is in the catalogue and can be used.
    public var hasGoodImages: Bool { imagesAdded + imagesUnchanged + imagesRenamed + imagesChanged > 0 }

    init(_ dataset: Dataset) {
        source = dataset.source
        format = dataset.format
        problems = dataset.problems
        remarks = dataset.remarks
        filesLeftOut = dataset.leftOut
    }
}

/// How far an import is.
public struct ImportProgress: Sendable, Hashable {
    /// Rows looked at.
    public var done: Int
    /// Rows whose outcome is on the disk.
    public var committed: Int
    public var total: Int
}

/// What an import is to do.
public struct ImportOptions: Sendable, Hashable {
    /// A product that is not in the catalogue yet needs so many readable pictures to get in; at least 1.
    public var minImages: Int
    /// Deletes pictures that came from this source before and are in it no more, and products left without any.
    /// Nothing is deleted if a row could not be read or the import was stopped. Files of the media folder that nothing mentions go too.
    public var prune: Bool
    /// Prunes the pictures of whole folders that became empty, too. A folder that is empty may be a disk that is not mounted.
    public var pruneEmptied: Bool
    /// Reads every file again, also where size and time of change say that it is the one already known.
    public var rehash: Bool
    /// So many pictures, or one product if it has more, go into a transaction.
    public var batchSize: Int
    /// A file with more bytes is not read.
    public var maximumFileSize: Int64
    /// What `prune` sweeps out of the media folder is at least so old, in seconds: see `CatalogStore.sweepMedia`.
    var strayAge = CatalogStore.strayAge
    /// Only rows of these splits come in; empty takes all rows.
    public var splits: Set<String>

    public init(
        minImages: Int = 1, prune: Bool = false, rehash: Bool = false, batchSize: Int = 200, maximumFileSize: Int64 = 256 << 20,
        splits: Set<String> = [], pruneEmptied: Bool = false
    ) {
        self.minImages = minImages
        self.splits = splits
        self.prune = prune
        self.pruneEmptied = pruneEmptied
        self.rehash = rehash
        self.batchSize = batchSize
        self.maximumFileSize = maximumFileSize
    }

    func takes(_ row: ManifestRow) -> Bool { splits.isEmpty || row["split"].map(splits.contains) ?? false }
}

/// Judges whether bytes are a picture that can be read, and how large it is upright. What it throws is shown to the owner of
/// the file, so its description has to be a reason in words.
public typealias PictureInspector = @Sendable (_ bytes: Data, _ file: URL) throws -> PictureSize
