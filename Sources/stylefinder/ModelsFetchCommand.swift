import ArgumentParser
import CLIP
import Foundation
import Hub

extension ModelsCommand {
    struct Fetch: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch a model from the Hugging Face hub, or a file of weights from its address.",
            discussion: """
                Without a name it lists well-known models, with their licences and sizes. Weights, configuration and vocabulary are fetched and \
                nothing else. What was stopped goes on where it ended. HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE, HTTP_PROXY, HTTPS_PROXY and NO_PROXY are \
                honoured.
                """)

        @Argument(
            help: "A name of the list, owner/name or owner/name@revision of the hub, or the address of one file of weights.")
        var name: String?

        @Option(help: "The folder that the model is to have; where left out, one of its own in the user's cache.")
        var to: String?

        @Option(help: "A branch, a tag or a commit of the hub's repository.")
        var revision: String?

        @OptionGroup var output: OutputOption

        func validate() throws {
            if name == nil, to != nil || revision != nil {
                throw ValidationError("--to and --revision need the name of a model.")
            }
            if to?.isEmpty == true { throw ValidationError("--to is empty, expected a folder.") }
        }

        func run() throws {
            guard let name else { return try list() }
            let environment = ProcessInfo.processInfo.environment
            let settings = try HubSettings(environment: environment)
            let source = try ModelSource(name, revision: revision, endpoint: settings.endpoint)
            guard let store = FetchedModels(environment: environment) ?? to.map(FetchedModels.init(folder:)) else {
                throw Failure.usage("Neither XDG_CACHE_HOME nor HOME says where models are kept; name a folder with --to.")
            }
            let interrupt = Interrupt()
            // A host that closes an encrypted connection must not end the process.
            signal(SIGPIPE, SIG_IGN)
            let bar = ProgressBar("fetching")
            let fetch = try ModelFetch(
                settings, store: store, layouts: Checkpoint.folders.map(FolderLayout.init),
                shouldStop: { interrupt.isRequested }
            ) { event in
                switch event {
                case .plan(let plan): Self.tell(plan)
                case .note(let text):
                    bar.leaveLine()
                    Console.note(text)
                case .progress(let file, let done, let total): bar.show(bytes: done, of: total, doing: file)
                }
            }
            var doubt: (error: CLIPError, path: String)?
            let outcome: ModelFetch.Outcome
            do {
                outcome = try fetch.run(source, to: to, checkConfiguration: Self.checkConfiguration(of: source)) { path in
                    bar.leaveLine()
                    doubt = try Self.check(path, source)
                }
            } catch {
                bar.leaveLine()
                throw error
            }
            let model = outcome.model
            if let doubt { Console.warn(doubt.error.description.replacing(doubt.path, with: model.path)) }
            if output.json {
                try Console.printJSON(Document(model, wasThere: outcome.wasThere))
            }
            let use = to == nil ? model.shortName ?? model.source : model.path
            Console.note(
                outcome.wasThere
                    ? "\(model.source) is there already, in \(model.folder); use it with --model \(use)"
                    : "\(model.source) is in \(model.folder); use it with --model \(use)")
        }

        /// What is about to come, and on what terms.
        private static func tell(_ plan: ModelFetch.Plan) {
            let commit = plan.commit.map { " at commit \($0.prefix(12))" } ?? ""
            let size = plan.size.map { Bytes.text($0) } ?? "of unknown size"
            let kept = plan.kept > 0 ? ", \(Bytes.text(plan.kept)) of it here already" : ""
            Console.note("\(plan.source)\(commit): \(plan.files.joined(separator: ", ")); \(size)\(kept)")
            Console.note("to       \(plan.place)")
            let page = plan.page.map { "; its page is \($0)" } ?? ""
            guard let licence = plan.licence else {
                return Console.note("licence  none is told here; look for one before you use the model\(page)")
            }
            Console.note("licence  \(licence.name)\(page)")
            if licence.forbidsCommercialUse { Console.warn("the licence \(licence.name) forbids commercial use") }
        }

        private static func checkConfiguration(of source: ModelSource) -> (String) throws -> Void {
            { path in
                do { try Checkpoint.checkConfiguration(at: path) } catch let error as CLIPError {
                    let file = URL(fileURLWithPath: path).lastPathComponent
                    throw Failure.data(
                        "\(source.description) is no model that is read here, so its weights are not fetched: "
                            + error.description.replacing(path, with: file))
                }
            }
        }

        /// Builds the model once: what is in its folder will be read.
        /// - Returns: what its user has to say, for a file that does not say it.
        private static func check(_ path: String, _ source: ModelSource) throws -> (error: CLIPError, path: String)? {
            do {
                let checkpoint = try Checkpoint(path: path)
                _ = try checkpoint.model()
                for remark in checkpoint.remarks { Console.warn(remark) }
            } catch let error as CLIPError {
                switch error {
                case .unknownActivation, .unknownTower: return (error, path)
                default: throw unusable(error, path, source)
                }
            } catch {
                throw unusable(error, path, source)
            }
            return nil
        }

        private static func unusable(_ error: any Error, _ path: String, _ source: ModelSource) -> Failure {
            .data("\(source.description) was fetched and can't be used: \(error) Its files are kept in \(path).")
        }

        private struct Document: Encodable {
            let source: String
            let short_name: String?
            let path: String
            let commit: String?
            let licence: String?
            let forbids_commercial_use: Bool?
            let was_there: Bool
            let size: Int
            let files: [FetchedModel.File]

            init(_ model: FetchedModel, wasThere: Bool) {
                (source, short_name, path, commit) = (model.source, model.shortName, model.path, model.commit)
                (licence, forbids_commercial_use) = (model.licence?.name, model.licence?.forbidsCommercialUse)
                (was_there, files) = (wasThere, model.files)
                size = model.files.reduce(0) { $0 + $1.size }
            }
        }

        // MARK: The list

        private struct Known: Encodable {
            let id: String
            let repository: String
            let architecture: String
            let licence: String
            let size: Int
            let fetched: Bool
        }

        private func list() throws {
            let there = Set(ModelLocation.fetched().compactMap(\.shortName))
            let known = KnownModel.all.map {
                Known(
                    id: $0.name, repository: $0.repository.path, architecture: $0.architecture, licence: $0.licence,
                    size: $0.size,
                    fetched: there.contains($0.name))
            }
            if output.json { return try Console.printJSON(["known": known]) }
            let widths = (known.map(\.id.count).max() ?? 0, known.map(\.repository.count).max() ?? 0)
            for model in known {
                let id = model.id.padding(toLength: widths.0 + 2, withPad: " ", startingAt: 0)
                let repository = model.repository.padding(toLength: widths.1 + 2, withPad: " ", startingAt: 0)
                print(
                    "\(id)\(repository)\(model.architecture), \(model.licence), about \(Bytes.text(model.size))\(model.fetched ? ", fetched" : "")"
                )
            }
        }
    }
}

extension FolderLayout {
    fileprivate init(_ files: Checkpoint.FolderFiles) {
        self.init(
            configuration: files.configuration, weights: files.weights, preparation: files.preparation,
            vocabularies: files.vocabularies, additions: [Checkpoint.additions])
    }
}
