import Foundation
import Imaging

/// Decodes pictures on all cores ahead of whoever uses them, and hands them over in order.
///
/// Bounded: however many pictures there are, at most `window` of them are prepared or being prepared and not yet taken; what a decode
/// itself works in is bounded by `DecodingMemory`.
enum PicturesAhead {
    /// - Parameters:
    ///   - paths: the pictures' files.
    ///   - batch: how many are handed over at a time.
    ///   - workers: threads that decode; nil is one for each core.
    ///   - prepare: makes of a picture what is wanted of it, such as the model's square, on the thread that decoded it.
    ///   - take: gets one batch after the other on the calling thread, a result for each picture of the range.
    /// - Throws: what `take` throws; no more pictures are begun then.
    static func forEach<Prepared: Sendable>(
        _ paths: [String], batch: Int, workers: Int? = nil,
        prepare: @escaping @Sendable (RGBImage) throws(ImageError) -> Prepared,
        take: (Range<Int>, [Result<Prepared, ImageError>]) throws -> Void
    ) throws {
        let workers = max(1, workers ?? ProcessInfo.processInfo.activeProcessorCount)
        let queue = Queue<Prepared>(count: paths.count, window: 2 * batch + workers)
        defer { queue.close() }
        for number in 0..<min(workers, paths.count) {
            let thread = Thread {
                while let place = queue.claim() {
                    let result = Result { () throws(ImageError) in
                        try prepare(ImageDecoder.decode(contentsOfFile: paths[place], limits: .ownFiles))
                    }
                    queue.put(result, at: place)
                }
            }
            thread.name = "pictures \(number)"
            thread.start()
        }
        for start in stride(from: 0, to: paths.count, by: batch) {
            let range = start..<min(start + batch, paths.count)
            try take(range, queue.take(range))
        }
    }

    /// Between the threads that decode and the one that takes.
    ///
    /// `@unchecked Sendable`: everything that changes is touched under `condition`'s lock only.
    private final class Queue<Prepared: Sendable>: @unchecked Sendable {
        private let condition = NSCondition()
        private let count: Int
        private let window: Int
        private var next = 0
        private var taken = 0
        private var isClosed = false
        private var ready: [Int: Result<Prepared, ImageError>] = [:]

        init(count: Int, window: Int) {
            self.count = count
            self.window = window
        }

        /// The next picture to decode, once there is room for it; nil where there is none, or nobody wants any.
        func claim() -> Int? {
            condition.lock()
            defer { condition.unlock() }
            while next < count && next >= taken + window && !isClosed { condition.wait() }
            guard next < count, !isClosed else { return nil }
            next += 1
            return next - 1
        }

        func put(_ result: Result<Prepared, ImageError>, at place: Int) {
            condition.lock()
            ready[place] = result
            condition.broadcast()
            condition.unlock()
        }

        /// Waits until all of a range are there.
        func take(_ range: Range<Int>) -> [Result<Prepared, ImageError>] {
            condition.lock()
            defer { condition.unlock() }
            var results: [Result<Prepared, ImageError>] = []
            for place in range {
                var found = ready.removeValue(forKey: place)
                while found == nil {
                    condition.wait()
                    found = ready.removeValue(forKey: place)
                }
                if let found { results.append(found) }
            }
            taken = range.upperBound
            condition.broadcast()
            return results
        }

        func close() {
            condition.lock()
            isClosed = true
            condition.broadcast()
            condition.unlock()
        }
    }
}
