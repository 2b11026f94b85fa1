import API
import Catalog
import Foundation
import Imaging
import Inference
import Search

/// Follows a folder of pictures, or a manifest: what is put there, changed or taken away is imported beside the searches, gets its vectors from the
/// models that answer, and is found.
///
/// It looks again and again instead of waiting for the system's events, which network file systems don't send and which stop at a folder's
/// depth; a look takes at most a twentieth of the time.
struct FolderWatch: Sendable {
    let folder: URL
    let store: CatalogStore
    let limits: DecodingLimits
    /// Those that answer now.
    let models: @Sendable () -> [ServedModel]
    /// Whether the server is on its way out: an import ends with the picture at hand, and goes on with the next start.
    let isStopping: @Sendable () -> Bool

    private static let interval = Duration.seconds(2)
    /// Pictures in one pass of a model: searches come in between.
    private static let picturesAtOnce = 8

    /// What tells whether anything in the folder is another than before, without reading it.
    private struct State: Equatable {
        struct File: Equatable {
            let size: Int64
            let changed: Date
        }

        var files: [String: File] = [:]

        init(of folder: URL) {
            let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey, .contentModificationDateKey]
            func take(_ url: URL) {
                guard let values = try? url.resourceValues(forKeys: keys), values.isRegularFile == true else { return }
                files[url.path] = File(size: Int64(values.fileSize ?? 0), changed: values.contentModificationDate ?? .distantPast)
            }
            take(folder)
            let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: Array(keys))
            while let url = walk?.nextObject() as? URL { take(url) }
        }
    }

    /// Watches until its task is cancelled. What is there at the start is brought in too.
    func run() async {
        var taken: State?
        var seen: State?
        var told: Set<String> = []
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            guard let state = try? await Serving.onOwnThread({ State(of: folder) }) else { return }
            // Twice the same: nobody is in the middle of copying.
            if state == seen, state != taken {
                do {
                    try await bringIn(&told)
                    taken = state
                } catch is CancellationError {
                    return
                } catch {
                    if told.insert("\(error)").inserted {
                        Console.warn("\(folder.path) can't be followed for the time being: \(error)")
                    }
                }
            }
            seen = state
            let pause = max(Self.interval, (ContinuousClock.now - begin) * 20)
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }

    /// - Parameter told: what was said already is not said again.
    private func bringIn(_ told: inout Set<String>) async throws {
        let begin = ContinuousClock.now
        let limits = limits
        let report = try await Serving.onOwnThread { [folder, store, isStopping] in
            try store.importCatalog(
                from: Dataset(contentsOf: folder, isPicture: Dataset.isPicture), options: ImportOptions(prune: true),
                inspect: { bytes, _ in
                    let picture = try ImageDecoder.decode(bytes, limits: limits)
                    return PictureSize(width: picture.width, height: picture.height)
                }, shouldStop: isStopping)
        }
        if report.stopped { throw CancellationError() }
        try Task.checkCancellation()
        var problems = report.problems.map(\.description)
        for model in models() {
            let embedding = CatalogEmbedding(store, batchSize: Self.picturesAtOnce, limits: limits)
            problems += try await embedding.run(with: model.engine.encoder, shouldStop: isStopping).problems
        }
        Console.warn(all: problems.filter { told.insert($0).inserted })
        guard report.hasChanges else { return }
        let seconds = ((ContinuousClock.now - begin) / .milliseconds(100)).rounded() / 10
        let pictures = report.imagesAdded + report.imagesChanged
        Console.note(
            "\(folder.path): \(report.productsAdded) products and \(pictures) pictures are new or changed, \(report.imagesPruned) pictures are gone; "
                + "searches know after \(seconds) s.")
    }
}

extension ImportReport {
    /// Whether anything in the catalogue is another than before.
    fileprivate var hasChanges: Bool {
        productsAdded + productsUpdated + imagesAdded + imagesChanged + imagesRenamed + imagesPruned > 0
    }
}
