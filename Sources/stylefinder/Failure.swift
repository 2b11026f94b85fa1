import API
import ArgumentParser
import Atelier
import Catalog
import CLIP
import Evaluation
import Foundation
import Hub
import Imaging
import Inference
import Report
import Retrieval
import Search
import TensorFiles
import Tokenizers
import Torch
import Training

#if Milvus
    import Milvus
#endif

/// Something that only the command can find wrong: its sentence and its exit code.
struct Failure: Error, CustomStringConvertible {
    let description: String
    let code: ExitCode

    static func usage(_ text: String) -> Failure { Failure(description: text, code: .usage) }
    static func data(_ text: String) -> Failure { Failure(description: text, code: .badData) }
    static func noInput(_ text: String) -> Failure { Failure(description: text, code: .noInput) }

    /// The path that somebody names, who may write it as a file's address.
    /// - Throws: `Failure` for an address of the web: nothing is fetched.
    static func path(named text: String) throws -> String {
        guard text.contains("://") else { return text }
        guard text.lowercased().hasPrefix("file://"), let url = URL(string: text), !url.path.isEmpty else {
            throw Failure.usage(
                "\(text) is an address, and addresses are not fetched; download what is there and name the file or its folder.")
        }
        return url.path
    }
}

extension ExitCode {
    static let usage = ExitCode(64)
    static let badData = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let internalError = ExitCode(70)
    static let inputOutput = ExitCode(74)
    static let interrupted = ExitCode(130)

    /// The code for an error of any module: the only place where errors are sorted for the shell.
    init(for error: any Error) {
        switch error {
        case let error as Failure: self = error.code
        case let error as CatalogError: self = Self.code(for: error)
        case let error as ImageError: self = Self.code(for: error)
        case let error as AtelierError:
            switch error {
            case .option, .notABoutique, .otherOptions: self = .usage
            case .noWrite, .diskFull, .noRead: self = .inputOutput
            case .drawing: self = .internalError
            }
        case let error as TensorFileError: self = Self.code(for: error)
        case let error as RetrievalError:
            if case .file(let inner) = error { self = Self.code(for: inner) } else { self = .badData }
        case let error as EvaluationError:
            if case .notAChoice = error { self = .usage } else { self = .badData }
        case let error as ReportError:
            switch error {
            case .noWrite, .noMetrics: self = .inputOutput
            case .metrics: self = .badData
            case .drawing: self = .internalError
            }
        case let error as CLIPError:
            switch error {
            case .noModel: self = .noInput
            case .noWrite: self = .inputOutput
            default: self = .badData
            }
        case let error as HubError: self = Self.code(for: error)
        case let error as TrainingError:
            switch error {
            case .nothingToResume: self = .noInput
            case .unreadableRecipe(let path, _) where !FileManager.default.fileExists(atPath: path): self = .noInput
            case .noWrite: self = .inputOutput
            case .runExists: self = .usage
            default: self = .badData
            }
        case let error as TorchError:
            switch error {
            case .weights: self = .badData
            case .deviceUnavailable: self = .unavailable
            default: self = .internalError
            }
        case is TokenizerError: self = .badData
        case let error as SearchError:
            switch error {
            case .limit, .minimumScore, .emptyText, .takesNoText, .nothingWanted, .tooManyTerms, .weight, .diversity, .boost,
                .termsCancel:
                self = .usage
            case .unknownProduct, .unknownImage: self = .noInput
            case .noVectors, .dimension, .storedDimension, .notEmbedded, .unreadableRow: self = .badData
            case .overloaded, .indexUnavailable: self = .unavailable
            }
        case is ServerError: self = .unavailable
        case let error as BatcherError:
            switch error {
            case .overloaded, .closed: self = .unavailable
            case .vectorCount: self = .internalError
            }
        case is CocoaError: self = .inputOutput
        #if Milvus
            case let error as MilvusError: self = Self.code(for: error)
        #endif
        default: self = .internalError
        }
    }

    private static func code(for error: CatalogError) -> ExitCode {
        switch error {
        case .sourceMissing, .noCatalog, .officialFileMissing, .officialPicturesMissing: .noInput
        case .badFilter, .unknownKey, .emptyKey, .badShard, .notAPath, .officialFileTwice, .outputTaken: .usage
        case .readOnly, .cannotOpen, .diskFull, .inputOutput, .sourceUnreadable, .outputFull, .outputUnwritable: .inputOutput
        case .locked: .unavailable
        default: .badData
        }
    }

    #if Milvus
        private static func code(for error: MilvusError) -> ExitCode {
            switch error {
            case .address, .token, .query, .resultCount: .usage
            case .unreachable, .denied, .notLoaded: .unavailable
            case .refused, .answer: .internalError
            case .noCollection, .unfilled: .noInput
            case .otherSchema, .otherCatalog, .otherModel, .row, .dimension, .tooDeep, .count, .source: .badData
            }
        }
    #endif

    private static func code(for error: HubError) -> ExitCode {
        switch error {
        case .badName, .badRevision, .badEndpoint, .badToken, .taken: .usage
        case .noSuchModel, .noSuchRevision: .noInput
        case .noWeights, .oddFileName, .badAnswer, .size, .sum: .badData
        case .offline, .gated, .refusedToken, .refused, .gaveUp: .unavailable
        case .tooLittleSpace, .diskFull, .noWrite: .inputOutput
        case .stopped: .interrupted
        }
    }

    private static func code(for error: ImageError) -> ExitCode {
        switch error {
        case .inFile(let path, let inner):
            switch inner {
            case .unreadable: FileManager.default.fileExists(atPath: path) ? .inputOutput : .noInput
            default: code(for: inner)
            }
        case .unreadable: .inputOutput
        default: .badData
        }
    }

    private static func code(for error: TensorFileError) -> ExitCode {
        switch error {
        case .cannotOpen(let path, _): FileManager.default.fileExists(atPath: path) ? .inputOutput : .noInput
        case .cannotWrite: .inputOutput
        default: .badData
        }
    }
}
