import API
import ArgumentParser
import Catalog
import Foundation
import Imaging
import Inference

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answer searches over HTTP, with a page for people.",
        discussion: """
            Without --model every model that has vectors in the catalogue answers, also one that gets its first while the server runs. The server takes connections at once and says "loading" \
            until its models are there. With --milvus vectors are searched where `index sync` has put them; no catalogue file is needed then, but the address \
            where its pictures lie. Ctrl-C and SIGTERM let what is under way finish.
            """)

    @Option(name: .customLong("catalog"), help: "The catalogue, a .db file; without one all comes from --milvus.")
    var catalogPath: String?

    @OptionGroup var listening: ListeningOptions
    @OptionGroup var admin: AdminOptions

    @Option(
        help:
            "The name of a shipped or fetched model, a model folder, or a run; repeat it for more, the first answers by default.")
    var model: [String] = []

    @Option(
        help:
            "A folder of models and runs that the admin may bring in by name while the server runs, beside shipped and fetched ones."
    )
    var modelFolder: String?

    @Option(help: "A folder of pictures or a manifest: what is put there, changed or taken away is found, or not, from then on.")
    var watch: String?

    @Option(help: "Pictures to try the search with, a folder or a manifest; where left out, some of the catalogue's own.")
    var samples: String?

    @Option(
        help:
            "The language of titles and descriptions, in two letters, kept in a catalogue that is filled over HTTP or by --watch."
    )
    var language: Language?

    @OptionGroup var milvus: MilvusOptions

    @Option(help: "The address of the web below which the pictures lie, for a server without a catalogue file.")
    var imagesURL: String?

    func validate() throws {
        guard milvus.address != nil || catalogPath != nil else {
            throw ValidationError("Missing expected argument '--catalog <catalog>'")
        }
        guard milvus.address != nil || milvus.tokenFile == nil else {
            throw ValidationError("--milvus-token-file is for --milvus, which is not given")
        }
        if milvus.address != nil {
            guard watch == nil, admin.adminTokenFile == nil, language == nil else {
                throw ValidationError(
                    "--milvus searches what `index sync` has put there; --watch, --language and an admin token are for a server that searches its catalogue"
                )
            }
            guard !listening.exact.isExact, listening.graphs.least == nil else {
                throw ValidationError("--exact and --graphs-from are about vectors in this process, and --milvus has none there")
            }
        }
        guard let imagesURL else {
            guard catalogPath != nil else {
                throw ValidationError(
                    "Without --catalog, --images-url says where the pictures lie, such as https://pictures.shop.example")
            }
            return
        }
        guard catalogPath == nil else {
            throw ValidationError("--images-url is for a server without --catalog, whose own pictures are given out")
        }
        guard Product.reasonAgainst(url: imagesURL) == nil, !imagesURL.contains(where: { "?#".contains($0) }) else {
            throw ValidationError("--images-url is \(imagesURL), expected an address such as https://pictures.shop.example/large")
        }
    }

    func run() async throws {
        if milvus.address != nil { return try await serveFromMilvus() }
        let path = catalogPath ?? ""
        let interrupt = Interrupt()
        let token = try admin.token()
        let watched = try watch.map { path in
            let url = try URL(fileURLWithPath: Failure.path(named: path))
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw Failure.noInput("There is no \(path); --watch takes a folder of pictures or a manifest.")
            }
            return url
        }
        // Who may fill a catalogue may begin with an empty one.
        let isFilled = token != nil || watched != nil
        guard isFilled || language == nil else {
            throw Failure.usage(
                "--language is written into the catalogue, which is only read without --watch and without an admin token; `stylefinder import` sets it, too."
            )
        }
        let isNew = isFilled && !FileManager.default.fileExists(atPath: path)
        let store = try CatalogStore(path: path, mode: isFilled ? .create : .readOnly)
        if let language { try store.set(language: language) }
        if isNew { Console.note("There was no catalogue at \(path): an empty one was made.") }
        let named = try model.map { try ModelLocation($0) }
        let offered = try samples.map { try Samples.of(Dataset(named: $0)) }
        var serving = Serving(
            catalog: store, listening: listening, interrupt: interrupt, logsRequests: true, adminToken: token,
            offersAll: named.isEmpty)
        serving.watched = watched
        serving.modelFolder = modelFolder
        try await serving.run { pool, _, browse in
            let models = try Serving.load(
                named.isEmpty ? Serving.modelsWithVectors(in: store, mayBeEmpty: isFilled) : named, store, pool: pool,
                form: listening.exact.form, mayBeEmpty: isFilled, browse: browse)
            return (models, try offered ?? Samples.of(store))
        }
    }
}

/// Where a server listens and what it lets in; shared by `serve` and `demo`.
struct ListeningOptions: ParsableArguments {
    @Option(
        help: "A JSON file with settings that neither these options nor STYLEFINDER_… variables give, such as {\"port\": 9000}.")
    var config: String?

    @Option(help: "The address to listen on; 0.0.0.0 is every one of this machine.")
    var host = "127.0.0.1"

    @Option(help: "The port, 0 for any free one.")
    var port = 8080

    @Option(help: "The address below which a proxy shows the server, such as /finder.")
    var basePath = ""

    @Option(help: "An origin, such as https://shop.example, whose pages may call the API; repeat it for more.")
    var allowOrigin: [String] = []

    @Option(
        help:
            "How many requests a second one client may make, such as 20/s; bursts of twice as many are let through. Any number where left out."
    )
    var rate: String?

    @Option(
        help:
            "The address or network of a proxy, such as 10.0.0.0/8, whose X-Forwarded-For is taken for the client's address; repeat it for more."
    )
    var trustedProxy: [String] = []

    @Flag(help: "Write the access log as one JSON object a line.")
    var accessLog = false

    @Option(help: "The largest upload, in MB.")
    var maxUpload = 20

    @Option(help: "The largest picture, in millions of pixels.")
    var maxPixels = 100

    @OptionGroup var accepted: FormatsOption

    @Option(help: "The memory that decoding pictures may take together, in MB; a larger picture is decoded alone.")
    var decodingMemory = 1024

    @Option(
        help:
            "The memory that the weights of models may take together, in MB: a model is loaded when it is asked, and those that were asked longest ago go. All models but variants stay where left out."
    )
    var modelMemory: Int?

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var exact: ExactOption

    @OptionGroup var graphs: GraphsOption

    func validate() throws {
        if exact.isExact, graphs.least != nil {
            throw ValidationError(
                "--graphs-from is about graphs over codes, and --exact searches without either: give one of them.")
        }
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port), expected 0 to 65535") }
        guard (1...1024).contains(maxUpload) else { throw ValidationError("--max-upload is \(maxUpload), expected 1 to 1024 MB") }
        guard (1...1000).contains(maxPixels) else { throw ValidationError("--max-pixels is \(maxPixels), expected 1 to 1000") }
        guard (64...1 << 20).contains(decodingMemory) else {
            throw ValidationError("--decoding-memory is \(decodingMemory), expected 64 to 1048576 MB")
        }
        if let modelMemory, !(1...1 << 20).contains(modelMemory) {
            throw ValidationError("--model-memory is \(modelMemory), expected 1 to 1048576 MB")
        }
        guard BasePath.isValid(basePath) else {
            throw ValidationError("--base-path is \(basePath), expected letters, digits and /-._~ such as /finder")
        }
        if let rate, Self.requestsASecond(rate) == nil {
            throw ValidationError("--rate is \(rate), expected a number of requests a second above 0, such as 20/s")
        }
        for proxy in trustedProxy where Network(proxy) == nil {
            throw ValidationError("--trusted-proxy is \(proxy), expected an address or a network such as 10.0.0.0/8")
        }
        for origin in allowOrigin {
            if let reason = AllowedOrigin.problem(with: origin) {
                throw ValidationError("--allow-origin is \(origin), which no browser sends: \(reason)")
            }
        }
    }

    /// `20/s`, or `20`.
    private static func requestsASecond(_ text: String) -> Double? {
        let number = text.hasSuffix("/s") ? text.dropLast(2) : text[...]
        guard !number.contains(where: { "xXpPeEn".contains($0) }), let rate = Double(number), rate > 0, rate <= 1_000_000 else {
            return nil
        }
        return rate
    }

    /// The host without the brackets that an address of IPv6 has in a URL.
    private var address: String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// What a browser on this machine opens: every address of the machine is none that can be opened.
    func url(port: Int) -> String {
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address] ?? address
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(BasePath(basePath).path)/"
    }

    /// Of variants, of which there can be a dozen for each model, a few at a time.
    var roomForModels: ModelPool.Room { modelMemory.map { .bytes($0 << 20) } ?? .models(3) }

    var settings: ServerSettings {
        var limits = ServerLimits()
        limits.uploadBytes = maxUpload << 20
        limits.pictures.maxPixels = maxPixels * 1_000_000
        limits.pictures.formats = accepted.formats
        var settings = ServerSettings(
            host: address, port: port, basePath: basePath, allowedOrigins: allowOrigin, limits: limits)
        settings.rate = rate.flatMap(Self.requestsASecond)
        settings.trustedProxies = trustedProxy.compactMap(Network.init)
        if accessLog { settings.accessLog = .json { Console.note($0) } }
        return settings
    }
}
