public import Imaging

/// How much clients may ask for: of bytes, work, memory and waiting. No bound holds a place of another: who reads slowly keeps nobody from
/// searching.
public struct ServerLimits: Sendable {
    // Connections
    /// Open at once; the next ones wait in the system's queue. Fewer where the process may open fewer files.
    public var connections = 1024
    /// A connection without a request under way is closed after this long, and sooner where all places are taken.
    public var idle = Duration.seconds(30)
    /// An answer of which the client takes nothing for this long ends with its connection.
    public var writeStall = Duration.seconds(15)

    // Reading
    /// Bytes of one upload.
    public var uploadBytes = 20 << 20
    /// Bytes of a JSON body: it holds names, numbers and short texts.
    public var jsonBytes = 64 << 10
    /// Bytes of all bodies that have come in and are not worked on yet. Where they are exceeded, uploads that have stalled end first.
    public var heldBytes = 256 << 20
    /// A body of which fewer than `stallBytes` come for this long ends.
    public var bodyStall = Duration.seconds(10)
    public var stallBytes = 1024
    /// Where all bodies together are too much, one that has stalled for this long ends for one that comes. A moment without a byte is no proof of ill
    /// will, but who sends goes before who does not.
    public var crowdedStall = Duration.seconds(1)

    // Working
    /// What an uploaded picture may be, judged from its header. Its formats hold for the pictures of the catalogue, too.
    public var pictures = DecodingLimits.standard
    /// Uploads that may wait for a decoder; there are as many decoders as cores.
    public var decodesWaiting = 64
    /// Searches under way at once, from the decoded picture or the text to the answer.
    public var searches = 64
    /// Changes of the catalogue under way at once, from the upload to the answer.
    public var edits = 32
    /// Writes that may wait for the one before them.
    public var writesWaiting = 64
    /// Batches of changes under way at once, and of searches.
    public var batches = 2
    /// Lines of one batch.
    public var batchLines = 100_000
    /// Lines of one batch of searches, and bytes of its answers.
    public var searchBatchLines = 10_000
    public var searchBatchBytes = 64 << 20
    /// Pictures of the catalogue that may wait to be scaled.
    public var picturesWaiting = 512
    /// From a request's head to its answer.
    public var request = Duration.seconds(120)
    /// The same for a batch, which is worked on while it comes, and for a look through the whole catalogue.
    public var batch = Duration.seconds(3600)

    public init() {}

    /// Bytes of one line of a batch: a picture of `uploadBytes` takes a third more as base64.
    var batchLineBytes: Int { uploadBytes / 3 * 4 + jsonBytes }
}
