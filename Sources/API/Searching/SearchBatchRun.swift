import Foundation
import HTTPTypes
import NIOCore

/// Many searches, line by line: some of them are worked on side by side, as the searches of several clients are, and each has its answer.
actor SearchBatchRun {
    /// A search's answer under its line's number and the name that its sender gave it, or why there is none.
    private struct Outcome: Encodable, Sendable {
        struct Problem: Encodable {
            let code: String
            let message: String
        }

        private enum CodingKeys: String, CodingKey { case line, id, error }

        let line: Int
        var id: String?
        var result: Result<SearchAnswer, APIError>

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(line, forKey: .line)
            try values.encodeIfPresent(id, forKey: .id)
            switch result {
            case .success(let answer): try answer.encode(to: encoder)
            case .failure(let error): try values.encode(Problem(code: error.code, message: error.message), forKey: .error)
            }
        }
    }

    private let searching: Searching
    private var limits: ServerLimits { searching.limits }
    private var waiting: [(number: Int, text: BodyLine)] = []
    private var outcomes = ByteBuffer()
    private var lines = 0

    /// As many as a model takes in one pass.
    private static let linesAtOnce = 16
    private static let names = RequestFields.Names(
        ["id"] + SearchRequest.names.all, files: SearchRequest.names.files, objects: SearchRequest.names.objects,
        blank: SearchRequest.names.blank)

    init(_ searching: Searching) { self.searching = searching }

    /// One JSON document a line, in the order of the lines.
    func answer() -> ByteBuffer { outcomes }

    /// - Throws: `JSONLines.Enough`, `CancellationError`; what is wrong with a line is its outcome.
    func take(_ number: Int, _ line: BodyLine) async throws {
        lines += 1
        let isTooMuch = outcomes.readableBytes > limits.searchBatchBytes
        guard lines <= limits.searchBatchLines, !isTooMuch else {
            try await flush()
            let reason =
                isTooMuch
                ? "The answers are larger than \(limits.searchBatchBytes >> 20) MB"
                : "One call takes \(limits.searchBatchLines) lines"
            try note(
                Outcome(
                    line: number,
                    result: .failure(
                        APIError(.contentTooLarge, "too_many_lines", "\(reason); send this one and what follows in another."))))
            throw JSONLines.Enough()
        }
        waiting.append((number, line))
        if waiting.count >= Self.linesAtOnce { try await flush() }
    }

    /// Answers what is waiting.
    func flush() async throws {
        let batch = waiting
        waiting = []
        let answered = try await withThrowingTaskGroup(of: (Int, Outcome).self) { [searching] tasks in
            for (place, line) in batch.enumerated() {
                tasks.addTask { (place, try await Self.outcome(of: line.text, number: line.number, searching)) }
            }
            var answered: [Int: Outcome] = [:]
            for try await (place, outcome) in tasks { answered[place] = outcome }
            return answered
        }
        for place in batch.indices { if let outcome = answered[place] { try note(outcome) } }
    }

    private func note(_ outcome: Outcome) throws {
        var bytes = try JSONAnswer.bytes(outcome)
        outcomes.writeBuffer(&bytes)
        outcomes.writeInteger(UInt8(ascii: "\n"))
    }

    private static func outcome(of line: BodyLine, number: Int, _ searching: Searching) async throws -> Outcome {
        let limits = searching.limits
        var outcome = Outcome(line: number, result: .failure(APIError.tooMuchJSON(limit: limits.jsonBytes)))
        guard case .text(let bytes) = line else { return outcome }
        do {
            let fields = try RequestFields(json: Data(bytes), names)
            outcome.id = try fields.one("id")
            outcome.result = .success(try await JSONLines.patiently(limits) { try await searching.answer(fields) })
        } catch {
            if error is CancellationError { throw error }
            outcome.result = .failure(APIError(error))
        }
        return outcome
    }
}
