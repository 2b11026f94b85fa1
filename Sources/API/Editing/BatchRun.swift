import Catalog
import Foundation
import HTTPTypes
import NIOCore
import Search

/// Many changes, line by line: some hundred lines are prepared side by side and written in one transaction, and each has its outcome.
actor BatchRun {
    /// What became of a line.
    private struct Outcome: Encodable {
        struct Problem: Encodable {
            let code: String
            let message: String
        }

        let line: Int
        var id: String?
        var imageId: ImageID?
        var status: String
        var error: Problem?
    }

    private struct Line {
        let number: Int
        let text: BodyLine
    }

    /// A line as it was understood.
    private struct Prepared: Sendable {
        var id: String?
        var image: ImageID?
        var edit: Result<CatalogEdit, APIError>
    }

    private let editor: CatalogEditor
    private let limits: ServerLimits
    private var waiting: [Line] = []
    private var waitingBytes = 0
    private var outcomes = ByteBuffer()
    private var lines = 0

    /// Lines in one transaction: other writers wait for so many at most.
    private static let linesAtOnce = 256
    private static let bytesAtOnce = 8 << 20
    /// Lines that are prepared side by side: as many pictures as a model takes in one pass.
    private static let prepareAtOnce = 16

    init(editor: CatalogEditor, limits: ServerLimits) {
        self.editor = editor
        self.limits = limits
    }

    /// One JSON document a line, in the order of the lines.
    func answer() -> ByteBuffer { outcomes }

    /// - Throws: `JSONLines.Enough`, `CancellationError`; what is wrong with a line is its outcome.
    func take(_ number: Int, _ line: BodyLine) async throws {
        lines += 1
        guard lines <= limits.batchLines else {
            try await flush()
            try note(
                Outcome(
                    line: number, status: "error",
                    error: .init(
                        code: "too_many_lines",
                        message: "One call takes \(limits.batchLines) lines; send this one and what follows in another.")))
            throw JSONLines.Enough()
        }
        waiting.append(Line(number: number, text: line))
        if case .text(let bytes) = line { waitingBytes += bytes.count }
        if waiting.count >= Self.linesAtOnce || waitingBytes >= Self.bytesAtOnce { try await flush() }
    }

    /// Writes what is waiting.
    func flush() async throws {
        let batch = waiting
        (waiting, waitingBytes) = ([], 0)
        guard !batch.isEmpty else { return }
        let prepared = try await prepare(batch)
        let edits = prepared.compactMap { try? $0.edit.get() }
        var results: [Result<EditOutcome, APIError>]
        do {
            results = try await editor.write { try $0.apply(edits) }.map { result in result.mapError { APIError($0) } }
        } catch {
            if error is CancellationError { throw error }
            // Nothing of these lines is written; the next ones may be.
            results = edits.map { _ in .failure(APIError(error)) }
        }
        results.reverse()
        for (line, prepared) in zip(batch, prepared) {
            var outcome = Outcome(line: line.number, id: prepared.id, imageId: prepared.image, status: "error")
            let result: Result<EditOutcome, APIError>
            switch prepared.edit {
            case .failure(let error): result = .failure(error)
            case .success: result = results.popLast() ?? .failure(APIError(CancellationError()))
            }
            switch result {
            case .success(.created): outcome.status = "created"
            case .success(.replaced): outcome.status = "replaced"
            case .success(.deleted): outcome.status = "deleted"
            case .failure(let error): outcome.error = .init(code: error.code, message: error.message)
            }
            try note(outcome)
        }
    }

    private func note(_ outcome: Outcome) throws {
        var bytes = try JSONAnswer.bytes(outcome)
        outcomes.writeBuffer(&bytes)
        outcomes.writeInteger(UInt8(ascii: "\n"))
    }

    /// Reads lines, and decodes and encodes their pictures, some of them side by side.
    private func prepare(_ batch: [Line]) async throws -> [Prepared] {
        try await withThrowingTaskGroup(of: (Int, Prepared).self) { [editor, limits] tasks in
            var prepared = [Prepared?](repeating: nil, count: batch.count)
            var next = 0
            while next < batch.count || !tasks.isEmpty {
                while next < batch.count, next < Self.prepareAtOnce + prepared.count(where: { $0 != nil }) {
                    let (place, line) = (next, batch[next])
                    tasks.addTask { (place, try await Self.prepared(line.text, editor, limits)) }
                    next += 1
                }
                if let (place, line) = try await tasks.next() { prepared[place] = line }
            }
            return prepared.compactMap { $0 }
        }
    }

    private static func prepared(_ line: BodyLine, _ editor: CatalogEditor, _ limits: ServerLimits) async throws -> Prepared {
        guard case .text(let bytes) = line else {
            return Prepared(
                edit: .failure(
                    APIError(
                        .contentTooLarge, "too_many_bytes",
                        "The line is longer than the \(limits.batchLineBytes >> 20) MB that are accepted.")))
        }
        let change: EditLine.Change
        do { change = try EditLine(json: bytes[...]).change } catch {
            return Prepared(edit: .failure(.wrongParameter(error.description)))
        }
        switch change {
        case .deleteProduct(let id): return Prepared(id: id.oneSpelling, edit: .success(.deleteProduct(id)))
        case .deleteImage(let id): return Prepared(image: id, edit: .success(.deleteImage(id)))
        case .put(let product, let pictures):
            let id = product.id.oneSpelling
            if let reason = APIContext.reasonAgainst(productID: id) {
                return Prepared(edit: .failure(.wrongParameter("The product's id \(reason).")))
            }
            do {
                var images: [NewImage] = []
                for picture in pictures {
                    images.append(try await JSONLines.patiently(limits) { try await editor.image(picture.bytes, picture.fields) })
                }
                return Prepared(id: id, edit: .success(.put(product, images: images)))
            } catch {
                if error is CancellationError { throw error }
                return Prepared(id: id, edit: .failure(APIError(error)))
            }
        }
    }
}
