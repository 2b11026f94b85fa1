public import CLIP
import DequeModule
import Dispatch
import Foundation
import Imaging
import Synchronization
public import Tokenizers

/// Makes the batches of a run ahead of time, the views of a batch on all cores. What a batch holds depends on the seed and the step alone,
/// whatever the number of threads, so a resumed run sees the batches it would have seen.
public final class BatchLoader: Sendable {
    private let data: TrainingData
    private let recipe: Recipe
    private let preprocessing: Preprocessing
    private let teacher: Preprocessing?
    private let tokens: [[Int64]]
    private let sampler: any BatchSampler
    private let photos: PhotoMemory
    private let workers: Int
    private let queue: BatchQueue

    /// Bytes of decoded photos that are kept in memory where nobody says otherwise.
    public static let defaultMemory = 1 << 30

    /// - Parameters:
    ///   - tokenizer: nil if no loss of the recipe reads texts.
    ///   - teacher: how a teacher takes pictures that is asked about every view.
    ///   - memory: bytes of decoded photos that are kept.
    ///   - workers: threads that make views; nil is one for each core.
    /// - Throws: `TrainingError.nothingToTrainOn` if the recipe asks for items of two photos, single photos or captions and there are none.
    public init(
        _ data: TrainingData, recipe: Recipe, preprocessing: Preprocessing, tokenizer: Tokenizer?, teacher: Preprocessing? = nil,
        memory: Int = defaultMemory, workers: Int? = nil
    ) throws(TrainingError) {
        self.data = data
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.teacher = teacher
        tokens = tokenizer.map { tokenizer in data.captions.map { tokenizer.encode($0).ids.map(Int64.init) } } ?? []
        sampler = try recipe.sampler(for: data)
        if let what = sampler.lacking { throw .nothingToTrainOn(what: "the recipe asks for \(what)") }
        if recipe.needsTexts && tokens.isEmpty {
            throw .nothingToTrainOn(
                what: tokenizer == nil
                    ? "the recipe has a loss with texts and the model no vocabulary"
                    : "the recipe has a loss with texts and no row has the columns of a caption's template")
        }
        photos = PhotoMemory(data.paths, limit: memory)
        self.workers = max(1, workers ?? ProcessInfo.processInfo.activeProcessorCount)
        queue = BatchQueue(capacity: 3)
    }

    /// How many garments of two photos and more there are, and how many single photos.
    public var counts: (garments: Int, singles: Int) { sampler.counts }

    /// Starts making batches, in order.
    /// - Parameter still: as for `batch(step:still:)`.
    public func start(batches: Range<Int>, still: StillImages? = nil) {
        let thread = Thread { [self] in
            for step in batches {
                let batch = Result { try self.batch(step: step, still: still) }
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

    /// One batch of the run by its number, made here and now. Where a photo can't be read another one stands for it, the same one whenever the step is made.
    /// - Parameter still: the photos' vectors where they are the same at every step; the batch then has these and no pictures.
    /// - Throws: `ImageError` where none of those that may stand for a photo can be read either.
    public func batch(step: Int, still: StillImages? = nil) throws -> TrainingBatch {
        let (views, content, unreadable) = try still.map { try known(step: step, $0) } ?? pictures(step: step)
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
            items: views.map(\.item), captioned: captioned, tokens: ids, taught: taught, teacher: vectors)
        switch content {
        case .squares(let squares, let ofTeacher): (batch.squares, batch.teacherSquares) = (squares, ofTeacher)
        case .features(let features): batch.features = features
        }
        batch.labels = data.labels(of: views.map(\.photo))
        batch.unreadable = unreadable
        return batch
    }

    private enum Content {
        case squares(SquarePictures, ofTeacher: SquarePictures?)
        case features([Float])
    }

    private typealias Views = (views: [SampledView], content: Content, unreadable: [Int: String])

    /// The views of a step by vectors that are known already.
    private func known(step: Int, _ still: StillImages) throws -> Views {
        var views = sampler.views(step: step)
        var unreadable: [Int: String] = [:]
        var features: [Float] = []
        features.reserveCapacity(views.count * still.dimension)
        for place in views.indices {
            if let vector = still.vector(of: views[place].photo) {
                features += vector
                continue
            }
            unreadable[views[place].photo] = still.reason(views[place].photo)
            for other in sampler.substitutes(for: views[place], step: step, place: place) {
                guard let vector = still.vector(of: other.photo) else {
                    unreadable[other.photo] = still.reason(other.photo)
                    continue
                }
                views[place] = other
                features += vector
                break
            }
        }
        guard features.count == views.count * still.dimension else {
            throw TrainingError.unreadablePhotos(
                count: unreadable.count, of: data.paths.count, last: unreadable.values.min() ?? "")
        }
        return (views, .features(features), unreadable)
    }

    /// The views of a step, made by all workers, photo by photo: each is decoded once for all of its views, and let go of.
    private func pictures(step: Int) throws -> Views {
        var views = sampler.views(step: step)
        let drawn = views
        let places = Dictionary(grouping: views.indices, by: { drawn[$0].photo }).sorted { $0.value[0] < $1.value[0] }
        var unreadable: [Int: String] = [:]
        struct Work {
            /// By place, `[side, side, 3]`.
            var squares: [[UInt8]]
            var teacherSquares: [[UInt8]]
            /// Places whose photo can't be read.
            var unreadable: [Int] = []
            /// The first error that is not a photo's.
            var error: ImageError?

            mutating func keep(_ made: (square: [UInt8], teacherSquare: [UInt8]?), at place: Int) {
                squares[place] = made.square
                if let square = made.teacherSquare { teacherSquares[place] = square }
            }
        }
        let none = [[UInt8]](repeating: [], count: views.count)
        let work = Mutex(Work(squares: none, teacherSquares: teacher == nil ? [] : none))
        @Sendable func view(_ place: Int, of photo: RGBImage, numbered index: Int) throws(ImageError) -> (
            square: [UInt8], teacherSquare: [UInt8]?
        ) {
            func pixels(for preprocessing: Preprocessing) throws(ImageError) -> [UInt8] {
                // The same draws for both: the teacher sees the part, mirrored and coloured as it is, that the student sees.
                var generator = SeededGenerator(seed: recipe.seed, 4, step, place)
                return try recipe.augmentation.view(
                    of: photo, for: preprocessing, ground: photos.ground(index, of: photo),
                    other: { other(in: drawn, than: index, using: &$0) }, using: &generator
                ).pixels
            }
            let square = try pixels(for: preprocessing)
            guard let teacher else { return (square, nil) }
            return (square, try pixels(for: teacher))
        }
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: min(workers, places.count)) { _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < places.count else { return }
                let (index, group) = places[number]
                guard let photo = try? photos.photo(index) else {
                    work.withLock { $0.unreadable += group }
                    continue
                }
                for place in group {
                    do throws(ImageError) {
                        let made = try view(place, of: photo, numbered: index)
                        work.withLock { $0.keep(made, at: place) }
                    } catch {
                        work.withLock { $0.error = $0.error ?? error }
                    }
                }
            }
        }
        var done = work.withLock { $0 }
        if let error = done.error { throw error }
        for place in done.unreadable.sorted() {
            let (other, photo) = try readable(views[place], step: step, place: place, &unreadable)
            views[place] = other
            done.keep(try view(place, of: photo, numbered: other.photo), at: place)
        }
        func pictures(_ squares: [[UInt8]], _ preprocessing: Preprocessing) -> SquarePictures {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(squares.count * 3 * preprocessing.side * preprocessing.side)
            for square in squares { bytes.append(contentsOf: square) }
            return SquarePictures(bytes: bytes, preprocessing)
        }
        let content = Content.squares(
            pictures(done.squares, preprocessing), ofTeacher: teacher.map { pictures(done.teacherSquares, $0) })
        return (views, content, unreadable)
    }

    /// Another photo of the same step, to take a ground from; nil where it can't be read or there is none.
    private func other(
        in views: [SampledView], than index: Int, using generator: inout SeededGenerator
    ) -> RGBImage? {
        let other = views[Int.random(in: views.indices, using: &generator)].photo
        return other == index ? nil : try? photos.photo(other)
    }

    private func readable(
        _ view: SampledView, step: Int, place: Int, _ unreadable: inout [Int: String]
    ) throws(ImageError) -> (SampledView, RGBImage) {
        do throws(ImageError) { return (view, try photos.photo(view.photo)) } catch {
            unreadable[view.photo] = "\(error)"
            for other in sampler.substitutes(for: view, step: step, place: place) {
                do throws(ImageError) { return (other, try photos.photo(other.photo)) } catch {
                    unreadable[other.photo] = "\(error)"
                }
            }
            throw error
        }
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
