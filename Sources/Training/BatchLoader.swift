public import CLIP
import DequeModule
import Foundation
import Imaging
import Synchronization
public import Tokenizers

/// Makes the batches of a run ahead of time on its own thread. What a batch holds depends on the seed and the step alone, so a resumed run
/// sees the batches it would have seen.
public final class BatchLoader: Sendable {
    private let data: TrainingData
    private let recipe: Recipe
    private let preprocessing: Preprocessing
    private let teacher: Preprocessing?
    private let tokens: [[Int64]]
    private let sampler: ItemSampler
    private let queue: BatchQueue

    /// - Parameters:
    ///   - tokenizer: nil if no loss of the recipe reads texts.
    ///   - teacher: how a teacher takes pictures that is asked about every view.
    ///   - cacheLimit: bytes of decoded photos kept in memory.
    /// - Throws: `TrainingError.nothingToTrainOn` if the recipe asks for items of two photos, single photos or captions and there are none.
    public init(
        _ data: TrainingData, recipe: Recipe, preprocessing: Preprocessing, tokenizer: Tokenizer?, teacher: Preprocessing? = nil,
        cacheLimit: Int = 1 << 30
    ) throws(TrainingError) {
        self.data = data
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.teacher = teacher
        tokens = tokenizer.map { tokenizer in data.captions.map { tokenizer.encode($0).ids.map(Int64.init) } } ?? []
        sampler = ItemSampler(items: data.items, folders: data.folders, batch: recipe.batch, seed: recipe.seed)
        if let (folder, what) = sampler.lacking.first {
            let place = folder.map { "data folder \($0 + 1)" } ?? "the data"
            let remedy =
                what == ItemSampler.garments
                ? "; give the photos of one product the same product_id, at least two of each, in a manifest.csv with the columns image and product_id"
                : ""
            throw .nothingToTrainOn(what: "the recipe asks for \(what) and \(place) has none\(remedy)")
        }
        if recipe.needsTexts && tokens.isEmpty {
            throw .nothingToTrainOn(
                what: tokenizer == nil
                    ? "the recipe has a loss with texts and the model no vocabulary"
                    : "the recipe has a loss with texts and no row has the columns of a caption's template")
        }
        cache = Mutex(PhotoCache(limit: cacheLimit))
        queue = BatchQueue(capacity: 3)
    }

    private let cache: Mutex<PhotoCache>

    /// How many garments of two photos and more there are, and how many single photos.
    public var counts: (garments: Int, singles: Int) { sampler.counts }

    /// Starts making the batches of `steps`, in order.
    public func start(steps: Range<Int>) {
        let thread = Thread { [self] in
            for step in steps {
                let batch = Result { try self.batch(step: step) }
                if !queue.put(batch) { return }
                if case .failure = batch { return }
            }
        }
        thread.name = "batches"
        thread.start()
    }

    /// The next batch; waits for it.
    public func next() throws -> TrainingBatch { try queue.take().get() }

    /// Ends the thread after the batch it is making.
    public func stop() { queue.close() }

    /// The batch of one step, made here and now. Where a photo can't be read another one stands for it, the same one whenever the step is made.
    /// - Throws: `ImageError` where none of those that may stand for a photo can be read either.
    public func batch(step: Int) throws -> TrainingBatch {
        var views = sampler.views(step: step)
        var unreadable: [Int: String] = [:]
        var pixels: [Float] = []
        pixels.reserveCapacity(views.count * 3 * preprocessing.side * preprocessing.side)
        var teacherPixels: [Float] = []
        for place in views.indices {
            let (view, photo) = try readable(views[place], step: step, place: place, &unreadable)
            views[place] = view
            func add(to pixels: inout [Float], for preprocessing: Preprocessing) throws {
                // The same draws for both: the teacher sees the part, mirrored and coloured as it is, that the student sees.
                var generator = SeededGenerator(seed: recipe.seed, 4, step, place)
                let square = try recipe.augmentation.view(of: photo, for: preprocessing, using: &generator)
                preprocessing.normalize(square, into: &pixels)
            }
            try add(to: &pixels, for: preprocessing)
            if let teacher { try add(to: &teacherPixels, for: teacher) }
        }
        var captioned: [(view: Int, caption: Int)] = []
        var ids: [Int64] = []
        if recipe.needsTexts {
            var seen: Set<Int> = []
            var rows: [Int: Int] = [:]
            for (place, view) in views.enumerated() {
                guard let caption = data.caption(of: view.photo, step: step), seen.insert(view.item).inserted else { continue }
                let row = rows[caption, default: rows.count]
                if row == rows.count { ids.append(contentsOf: tokens[caption]) }
                rows[caption] = row
                captioned.append((place, row))
            }
        }
        var vectors: [Float] = []
        var taught = teacher == nil ? [] : Array(views.indices)
        if data.teacherSize > 0 {
            for (place, view) in views.enumerated() where data.isTaught[view.photo] {
                taught.append(place)
                vectors.append(contentsOf: data.teacher[(view.photo * data.teacherSize)..<((view.photo + 1) * data.teacherSize)])
            }
        }
        var batch = TrainingBatch(
            pixels: pixels, items: views.map(\.item), captioned: captioned, tokens: ids, taught: taught, teacher: vectors)
        batch.labels = data.labels(of: views.map(\.photo))
        batch.teacherPixels = teacherPixels
        batch.unreadable = unreadable
        return batch
    }

    private func readable(
        _ view: ItemSampler.View, step: Int, place: Int, _ unreadable: inout [Int: String]
    ) throws(ImageError) -> (ItemSampler.View, RGBImage) {
        do throws(ImageError) { return (view, try photo(view.photo)) } catch {
            unreadable[view.photo] = "\(error)"
            for other in sampler.substitutes(for: view, step: step, place: place) {
                do throws(ImageError) { return (other, try photo(other.photo)) } catch { unreadable[other.photo] = "\(error)" }
            }
            throw error
        }
    }

    private func photo(_ index: Int) throws(ImageError) -> RGBImage {
        if let photo = cache.withLock({ $0.photos[index] }) { return photo }
        let photo = try ImageDecoder.decode(contentsOfFile: data.paths[index], limits: .ownFiles)
        cache.withLock { $0.keep(photo, at: index) }
        return photo
    }
}

/// Decoded photos up to a number of bytes; what does not fit is decoded again each time.
private struct PhotoCache {
    var photos: [Int: RGBImage] = [:]
    private var room: Int

    init(limit: Int) { room = limit }

    mutating func keep(_ photo: RGBImage, at index: Int) {
        guard photo.pixels.count <= room else { return }
        room -= photo.pixels.count
        photos[index] = photo
    }
}

/// A bounded queue between the loader's thread and the training loop, which both may block.
///
/// `@unchecked Sendable`: `batches` and `closed` are touched under `condition`'s lock only.
private final class BatchQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private let capacity: Int
    private var batches: Deque<Result<TrainingBatch, any Error>> = []
    private var closed = false

    init(capacity: Int) { self.capacity = capacity }

    /// - Returns: false once the queue is closed.
    func put(_ batch: Result<TrainingBatch, any Error>) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while batches.count >= capacity && !closed { condition.wait() }
        if closed { return false }
        batches.append(batch)
        condition.signal()
        return true
    }

    func take() -> Result<TrainingBatch, any Error> {
        condition.lock()
        defer { condition.unlock() }
        while batches.isEmpty { condition.wait() }
        let batch = batches.removeFirst()
        condition.signal()
        return batch
    }

    func close() {
        condition.lock()
        closed = true
        batches.removeAll()
        condition.broadcast()
        condition.unlock()
    }
}
