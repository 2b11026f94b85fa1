import Catalog

import Foundation
import TensorFiles
import Testing

/// Arguments that can't be followed, and what the command says to them.
struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: Int32
    /// A part of the sentence.
    let fragment: String
    let arguments: @Sendable (Workplace) throws -> [String]

    init(_ what: String, _ code: Int32, _ fragment: String, _ arguments: @escaping @Sendable (Workplace) throws -> [String]) {
        testDescription = what
        self.code = code
        self.fragment = fragment
        self.arguments = arguments
    }

    // MARK: Arguments

    static let usage: [Refusal] = [
        .init("an unknown subcommand", 64, "serch") { _ in ["serch"] },
        .init("an unknown option", 64, "--wrong") { _ in ["models", "list", "--wrong"] },
        .init("search without anything", 64, "Missing expected argument") { _ in ["search"] },
        .init("import without a catalogue", 64, "--catalog") { _ in ["import", "pictures"] },
        .init("neither picture nor text", 64, "pictures, --text, both, or --batch") { _ in
            ["search", "--catalog", "x", "--model", "m"]
        },
        .init("a picture and a batch", 64, "either --batch or") { _ in
            ["search", "a.png", "--batch", "q.jsonl", "--catalog", "x", "--model", "m"]
        },
        .init("more crops than pictures", 64, "--crop is given 1 times for 0 pictures") { _ in
            ["search", "--text", "t", "--crop", "0,0,1,1", "--catalog", "x", "--model", "m"]
        },
        .init("a crop that leaves the picture", 64, "0,0,2,1") { _ in
            ["search", "a.png", "--crop", "0,0,2,1", "--catalog", "x", "--model", "m"]
        },
        .init("a language without endings", 64, "xx") { _ in ["import", "x", "--catalog", "x.db", "--language", "xx"] },
        .init("-k 0", 64, "-k is 0, expected 1 to 200") { _ in ["search", "a.png", "-k", "0", "--catalog", "x", "--model", "m"] },
        .init("-k 201", 64, "-k is 201") { _ in ["search", "a.png", "-k", "201", "--catalog", "x", "--model", "m"] },
        .init("-k that is no number", 64, "ten") { _ in ["search", "a.png", "-k", "ten", "--catalog", "x", "--model", "m"] },
        .init("a shard that does not exist", 64, "--shard is 2/2") { _ in
            ["embed", "--shard", "2/2", "--catalog", "x", "--model", "m"]
        },
        .init("a shard that is none", 64, "--shard is half") { _ in
            ["embed", "--shard", "half", "--catalog", "x", "--model", "m"]
        },
        .init("nothing to measure", 64, "nothing to measure") { _ in ["evaluate", "--data", "d"] },
        .init("leave-one-out with chosen queries", 64, "--leave-one-out") { _ in
            ["evaluate", "--data", "d", "--model", "m", "--leave-one-out", "--query", "view=back"]
        },
        .init("a split that is none", 64, "--split is train, expected one of test, val") { _ in
            ["evaluate", "--data", "d", "--model", "m", "--split", "train"]
        },
        .init("a level that is none", 64, "--level is product, expected one of image, product-best") { _ in
            ["evaluate", "--data", "d", "--model", "m", "--level", "product"]
        },
        .init("captions without captions", 64, "--images-only") { _ in
            ["evaluate", "--data", "d", "--model", "m", "--images-only", "--caption", "a {color}"]
        },
        .init("a precision that is none", 64, "--precision is 'int4', expected float32, bfloat16 (or bf16), int8 or auto") { _ in
            ["search", "a.png", "--catalog", "x", "--model", "m", "--precision", "int4"]
        },
        .init("a tolerance below zero", 64, "--tolerance is -1") { _ in
            ["models", "quantize", "m", "--out", "x", "--tolerance=-1"]
        },
        .init("no results to look at", 64, "--top is 0") { _ in ["evaluate", "--data", "d", "--model", "m", "--top", "0"] },
        .init("one method to compare", 64, "takes two methods and found 1") { _ in ["compare", "a", "--data", "d"] },
        .init("three methods to compare", 64, "takes two methods and found 3") { _ in
            ["compare", "a", "b", "--data", "d", "--color-histogram"]
        },
        .init("features under a name of no kind that is written", 64, "ends with .safetensors or .pt") { _ in
            ["features", "--data", "d", "--model", "m", "--out", "x.txt"]
        },
        .init("features under a name without an ending", 64, "--out is pt") { _ in
            ["features", "--data", "d", "--model", "m", "--out", "pt"]
        },
        .init("a fingerprint without a file", 64, "give the file with --from") { _ in
            ["embed", "--catalog", "x", "--model", "m", "--fingerprint", String(repeating: "0", count: 64)]
        },
        .init("a fingerprint that is too short", 64, "--fingerprint is abc, expected 64") { _ in
            ["embed", "--catalog", "x", "--model", "m", "--from", "f.pt", "--fingerprint", "abc"]
        },
        .init("a fingerprint that is no hexadecimal number", 64, "expected 64 hexadecimal digits") { _ in
            ["embed", "--catalog", "x", "--model", "m", "--from", "f.pt", "--fingerprint", String(repeating: "g", count: 64)]
        },
        .init("a port beyond the last", 64, "--port is 65536") { _ in ["serve", "--catalog", "x", "--port", "65536"] },
        .init("a base path that HTML would have to escape", 64, "--base-path is /a\"b") { _ in
            ["serve", "--catalog", "x", "--base-path", "/a\"b"]
        },
        .init("an origin with a path", 64, "--allow-origin is https://a.example/") { _ in
            ["serve", "--catalog", "x", "--allow-origin", "https://a.example/"]
        },
        .init("a split that is none", 64, "--split is test") { _ in ["import", "p", "--catalog", "x", "--split", "test"] },
        .init("no garment to draw", 64, "0 is no number of garments") { ["generate", $0("g"), "--garments", "0"] },
        .init("a folder that was not generated", 64, "not a generated catalogue") { ["generate", try $0.boutique(1)] },
        .init("a device that is not there", 69, "The device mps is not available here") { _ in
            ["train", "r.json", "--data", "d", "--out", "o", "--device", "mps"]
        },
        .init("a device", 64, "--device") { _ in ["train", "r.json", "--data", "d", "--out", "o", "--device", "abacus"] },
    ]

    // MARK: Pictures

    private static func picture(
        _ what: String, _ code: Int32, _ fragment: String, _ file: @escaping @Sendable (Workplace) throws -> String
    )
        -> Refusal
    {
        .init(what, code, fragment) { ["search", try file($0), "--catalog", $0("x.db"), "--model", ReducedModel.path] }
    }

    static let pictures: [Refusal] = [
        picture("a picture that is not there", 66, "nowhere.png") { $0("nowhere.png") },
        picture("an address as a picture", 64, "addresses are not fetched") { _ in "https://a.example/a.png" },
        picture("a file's address of a picture that is not there", 66, "nowhere.png") { "file://" + $0("nowhere.png") },
        picture("a folder as a picture", 74, "cannot be read") { try $0.makeFolder("folder.png") },
        picture("an empty file", 65, "empty") { try $0.write("empty.png", "") },
        picture("a text named .jpg", 65, "this is text") { try $0.write("letter.jpg", "Dear customer,\nno picture here.\n") },
        picture("a picture that is cut off", 65, "cut off") {
            let whole = try Workplace.png(1, width: 200, height: 200)
            return try $0.write("cut.png", whole.prefix(whole.count * 2 / 3))
        },
        picture("a broken picture", 65, "broken") {
            var bytes = try Workplace.png(1, width: 64, height: 64)
            // In the compressed pixels, behind signature, header and the length and name of IDAT.
            for place in 45..<60 { bytes[place] ^= 0x5a }
            return try $0.write("broken.png", bytes)
        },
        picture("a header of 20,000 × 14,000 pixels", 65, "20000 x 14000") {
            var bytes = try Workplace.png(1, width: 8, height: 8)
            bytes.replaceSubrange(16..<24, with: [0, 0, 0x4e, 0x20, 0, 0, 0x36, 0xb0])
            // The checksum over the name and the 13 bytes of IHDR.
            let sum = Self.crc32(bytes[12..<29])
            bytes.replaceSubrange(29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
            return try $0.write("bomb.png", bytes)
        },
    ]

    private static func crc32(_ bytes: Data) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }

    // MARK: Catalogues and sources

    private static func source(
        _ what: String, _ code: Int32, _ fragment: String, _ make: @escaping @Sendable (Workplace) throws -> String
    )
        -> Refusal
    {
        .init(what, code, fragment) { ["import", try make($0), "--catalog", $0("new.db")] }
    }

    static let sources: [Refusal] = [
        source("a source that is not there", 66, "nowhere") { $0("nowhere") },
        source("an empty folder", 65, "holds no picture") { try $0.makeFolder("empty") },
        source("a file of another kind", 65, "none of the kinds") { try $0.write("notes.txt", "notes") },
        source("an empty manifest", 65, "lists no image") { try $0.write("manifest.jsonl", "") },
        source("a CSV without product_id", 65, "no column 'product_id'") { try $0.write("m.csv", "image,title\na.png,A\n") },
        source("a CSV without image", 65, "no column 'image'") { try $0.write("m.csv", "picture,product_id\na.png,A\n") },
        source("a column that stands twice", 65, "stands there twice") {
            try $0.write("m.csv", "image,product_id,image\na.png,A,b.png\n")
        },
        source("a CSV in UTF-16", 65, "UTF-16") { try $0.write("m.csv", Data([0xff, 0xfe]) + Data("image".utf8)) },
        source("a catalog.json that is cut off", 65, "cut off") { try $0.write("catalog.json", #"[{"id": "A", "images": ["#) },
        .init("an address as a source", 64, "addresses are not fetched") {
            ["import", "https://a.example/m.csv", "--catalog", $0("new.db")]
        },
        .init("a catalogue as an address of SQLite", 64, "no path of a catalogue") {
            ["import", try $0.boutique(1), "--catalog", "file:" + $0("new.db")]
        },
        .init("a catalogue in memory", 64, "no path of a catalogue") { ["import", try $0.boutique(1), "--catalog", ":memory:"] },
        .init("emptied folders without pruning", 64, "--prune-emptied") {
            ["import", try $0.boutique(1), "--catalog", $0("new.db"), "--prune-emptied"]
        },
        .init("no pixel at all", 64, "--max-pixels is 0") {
            ["import", try $0.boutique(1), "--catalog", $0("new.db"), "--max-pixels", "0"]
        },
        .init("a catalogue under a regular file", 74, "cannot be opened") {
            ["import", try $0.boutique(1), "--catalog", try $0.write("file", "text") + "/x.db"]
        },
        .init("a catalogue where the system lets nobody write", 74, "/proc/x.db") {
            ["import", try $0.boutique(1), "--catalog", "/proc/x.db"]
        },
        .init("a catalogue in a folder that is not there", 74, "cannot be opened") {
            ["import", try $0.boutique(1), "--catalog", $0("nowhere/x.db")]
        },
        .init("a catalogue that is a text", 65, "not a catalogue") {
            ["import", try $0.boutique(1), "--catalog", try $0.write("x.db", "no database at all, but long enough to be one")]
        },
        .init("a catalogue that is a folder", 65, "not a catalogue") {
            ["embed", "--catalog", try $0.makeFolder("x.db"), "--model", ReducedModel.path]
        },
        .init("embedding a catalogue that is not there", 66, "There is no catalogue") {
            ["embed", "--catalog", $0("nowhere.db"), "--model", ReducedModel.path]
        },
        .init("serving a catalogue that is not there", 66, "There is no catalogue") {
            ["serve", "--port", "0", "--catalog", $0("nowhere.db")]
        },
        .init("a language for a catalogue that is only read", 64, "--language is written into the catalogue") {
            ["serve", "--port", "0", "--catalog", $0("nowhere.db"), "--language", "de"]
        },
        .init("a demo of photos that are not there", 66, "nowhere") {
            ["demo", "--port", "0", "--folder", $0("demo"), "--photos", $0("nowhere")]
        },
        .init("searching a catalogue that is not there", 66, "There is no catalogue") {
            ["search", try $0.picture("a.png", 1), "--catalog", $0("nowhere.db"), "--model", ReducedModel.path]
        },
    ]

    // MARK: Models

    private static func model(
        _ what: String, _ code: Int32, _ fragment: String, _ make: @escaping @Sendable (Workplace) throws -> String
    )
        -> Refusal
    {
        .init(what, code, fragment) { ["models", "inspect", try make($0)] }
    }

    private static let layer = "vision_model.post_layernorm.weight"

    static let models: [Refusal] = [
        model("a model nobody knows", 66, "There is no model") { _ in "no-such-model" },
        model("the folder around a model", 65, "the model lies in") {
            try FileManager.default.copyItem(atPath: ReducedModel.path, toPath: "\(try $0.makeFolder("around"))/0_CLIPModel")
            return $0("around")
        },
        .init("two models that can't be mixed", 65, "can't be mixed: ") {
            ["models", "merge", ReducedModel.path, ReducedModel.other, "--alpha", "0.5", "--out", $0("mixed")]
        },
        model("an empty folder as a model", 65, "not a model folder") { try $0.makeFolder("empty") },
        model("a file that is no checkpoint", 65, "cut off") { try $0.write("model.bin", "weights") },
        model("a missing tensor", 65, "missing: ") { try $0.model("m") { $0[layer] = nil } },
        model("a tensor too many", 65, "not expected: ") { try $0.model("m") { $0["visual.surplus"] = ([2], [1, 2]) } },
        model("a mis-shaped tensor", 65, "of another shape: ") {
            try $0.model("m") { $0[layer] = ([64], [Float](repeating: 1, count: 64)) }
        },
        model("a weight that is no number", 65, "not finite") { try $0.model("m") { $0[layer]?.floats[3] = .nan } },
        model("weights that are cut off", 65, "model.safetensors") {
            let folder = try $0.model("m") { _ in }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
            try $0.write("m/model.safetensors", bytes.prefix(bytes.count - 5))
            return folder
        },
        model("a configuration that is no JSON", 65, "config.json") {
            let folder = try $0.model("m") { _ in }
            try $0.write("m/config.json", "{\"vision_config\": ")
            return folder
        },
    ]

    // MARK: Searching what is there

    /// Ten pictures embedded with the reduced model stand in `x.db`.
    private static func search(_ what: String, _ code: Int32, _ fragment: String, _ rest: String...) -> Refusal {
        .init(what, code, fragment) { place in
            ["search", place(Workplace.name(1)), "--catalog", place("x.db")]
                + (rest.contains("--model") ? [] : ["--model", ReducedModel.path]) + rest
        }
    }

    static let searches: [Refusal] = [
        search("a filter key that nothing has", 64, "no key 'colour'", "--filter", "colour=red"),
        search("a filter that is none", 64, "has neither '=' nor ':'", "--filter", "red"),
        search("a price that is no number", 64, "not a number", "--filter", "price=cheap"),
        search("a least score that is no cosine", 64, "minimum score is 2", "--min-score", "2"),
        .init("serving vectors that no shipped model made", 65, "no vectors of a shipped or fetched model") {
            ["serve", "--port", "0", "--catalog", $0("x.db")]
        },
        .init("serving on a host that there is not", 69, "no such host") {
            ["serve", "--port", "0", "--host", "no.such.host.invalid", "--catalog", $0("x.db"), "--model", ReducedModel.path]
        },
        .init("serving a model that has no vectors", 65, "has no vectors of the model vit-gelu-bf16") {
            ["serve", "--port", "0", "--catalog", $0("x.db"), "--model", ReducedModel.other]
        },
        .init("serving two models of one name", 64, "Two models are called") {
            ["serve", "--port", "0", "--catalog", $0("x.db"), "--model", ReducedModel.path, "--model", ReducedModel.path]
        },
        search("a model that has no vectors", 65, "has no vectors of the model vit-gelu-bf16", "--model", ReducedModel.other),
        .init("an empty text", 64, "has no word in it") {
            ["search", "--text", " ", "--catalog", $0("x.db"), "--model", ReducedModel.path]
        },
    ]

    // MARK: Measuring

    private static func vectors(
        _ place: Workplace, _ names: [String], _ floats: [Float], _ ending: String = "safetensors", rows: Int? = nil
    ) throws -> String {
        let rows = rows ?? names.count
        return try place.vectors("vectors.\(ending)", names, floats, shape: [rows, floats.count / rows])
    }

    static let measurements: [Refusal] = [
        .init("data that is not there", 66, "nowhere") { ["evaluate", "--data", $0("nowhere"), "--color-histogram"] },
        .init("a split that no row has", 65, "no row with split val") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--split", "val"]
        },
        .init("a column that is not there", 65, "no column colour") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--relevant-by", "colour"]
        },
        .init(
            "pictures without identities", 65,
            "Name a column whose equal values make pictures relevant to each other with --relevant-by"
        ) {
            ["evaluate", "--data", try $0.boutique(4), "--color-histogram"]
        },
        .init("a choice of rows that fits none", 65, "no chosen row has view=top") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--query", "view=top"]
        },
        .init("a choice of rows without =", 64, "not column=value") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--query", "back"]
        },
        .init("a slice that is none", 65, "can't be sliced by colour") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--slice", "colour"]
        },
        .init("a skew of a column that is not there", 65, "no column colour") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--skew", "colour"]
        },
        .init("captions of a column that is not there", 65, "no row has the columns of a {material}") {
            ["evaluate", "--data", try $0.dataset(2), "--model", ReducedModel.path, "--caption", "a {material}"]
        },
        .init("captions for a method that takes no texts", 64, "Captions need a model") {
            ["evaluate", "--data", try $0.dataset(2), "--color-histogram", "--caption", "a {category}"]
        },
        .init("a file of vectors that is not there", 66, "nowhere") {
            ["evaluate", "--data", try $0.dataset(2), "--features", $0("nowhere.safetensors")]
        },
        .init("a file of vectors that is a text", 65, "safetensors") {
            ["evaluate", "--data", try $0.dataset(2), "--features", try $0.write("v.safetensors", "1.0 0.0 0.0 1.0 0.5 0.5")]
        },
        .init("vectors of other rows", 65, "no vector for images/") {
            ["evaluate", "--data", try $0.dataset(2), "--features", try vectors($0, ["a.png", "b.png"], [1, 0, 0, 1])]
        },
        .init("a file of vectors that is not there, of PyTorch", 66, "nowhere.pt") {
            ["evaluate", "--data", try $0.dataset(2), "--features", $0("nowhere.pt")]
        },
        .init("a file of vectors of PyTorch that is a text", 65, "is no PyTorch file") {
            ["evaluate", "--data", try $0.dataset(2), "--features", try $0.write("v.pt", "1.0 0.0 0.0 1.0 0.5 0.5")]
        },
        .init("a vector of zeros", 65, "the vector of images/0-1.png, row 1 counted from 0, is all zeros") {
            ["evaluate", "--data", try $0.dataset(1), "--features", try vectors($0, ["a", "images/0-1.png"], [3, 0, 0, 0])]
        },
        .init("a vector that is no number", 65, "the vector of b.png, row 1 counted from 0, holds a number that is not finite") {
            ["evaluate", "--data", try $0.dataset(2), "--features", try vectors($0, ["a.png", "b.png"], [3, 0, .nan, 1], "pt")]
        },
        .init("two vectors of one picture", 65, "two different vectors of ./images/0-0.png") {
            [
                "evaluate", "--data", try $0.dataset(2), "--features",
                try vectors($0, ["images/0-0.png", "./images/0-0.png"], [1, 0, 0, 1], "pt"),
            ]
        },
        .init(
            "vectors of some rows", 65,
            "no vector for images/0-1.png: it lacks 3 of 4 pictures, and its first row is of images/0-0.png"
        ) {
            [
                "evaluate", "--data", try $0.dataset(2), "--features",
                try vectors($0, ["images/0-0.png", "x.png"], [1, 0, 0, 1], "pt"),
            ]
        },
        .init("fewer names than vectors", 65, "`image_paths` is an array of 1, expected 2 texts") {
            ["evaluate", "--data", try $0.dataset(2), "--features", try vectors($0, ["a.png"], [1, 0, 0, 1], "pt", rows: 2)]
        },
        .init("whole numbers as vectors", 65, "`features` is I64 [1, 1], expected a floating-point tensor") {
            let path = $0("v.pt")
            let features = TensorToWrite(name: "features", type: .int64, shape: [1, 1], bytes: [1, 0, 0, 0, 0, 0, 0, 0])
            try TorchCheckpointWriter.write([features], values: ["image_paths": .list(["a.png"])], to: path)
            return ["evaluate", "--data", try $0.dataset(2), "--features", path]
        },
        .init("features of a broken picture", 65, "images/1-0.png") {
            let data = try $0.dataset(2)
            try $0.write("data/images/1-0.png", "text")
            return ["features", "--data", data, "--model", ReducedModel.path, "--out", $0("f.safetensors")]
        },
        .init("features of PyTorch where nobody can write", 74, "can't be written") {
            [
                "features", "--data", try $0.dataset(2), "--model", ReducedModel.path, "--out",
                try $0.write("file", "x") + "/f.pt",
            ]
        },
        .init("features where nobody can write", 74, "can't be written") {
            [
                "features", "--data", try $0.dataset(2), "--model", ReducedModel.path, "--out",
                try $0.write("file", "x") + "/f.safetensors",
            ]
        },
    ]

    // MARK: Vectors made elsewhere

    private static let unknown = String(repeating: "ab", count: 32)

    /// A catalogue of four pictures stands in `x.db`.
    private static func taking(
        _ what: String, _ code: Int32, _ fragment: String, names: [String] = ["images/0-0.png"], dimension: Int = 64,
        stated: String? = nil, given: String? = nil, ending: String = "pt"
    ) -> Refusal {
        .init(what, code, fragment) { place in
            let floats = names.flatMap { _ in [1] + [Float](repeating: 0, count: dimension - 1) }
            let file = try place.vectors("v.\(ending)", names, floats, fingerprint: stated)
            return ["embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--from", file]
                + (given.map { ["--fingerprint", $0] } ?? [])
        }
    }

    static let foreignVectors: [Refusal] = [
        .init("a file that is not there", 66, "nowhere.pt") {
            ["embed", "--catalog", $0("x.db"), "--model", ReducedModel.path, "--from", $0("nowhere.pt")]
        },
        .init("an array of NumPy", 65, "is a NumPy array, and .npy is not read") {
            let file = try $0.write("img_emb_0.npy", Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]))
            return ["embed", "--catalog", $0("x.db"), "--model", ReducedModel.path, "--from", file]
        },
        taking("a file that does not say its model", 64, "give that model's fingerprint"),
        taking("a safetensors file that does not say its model", 64, "--fingerprint", ending: "safetensors"),
        taking(
            "a file of another model", 65,
            "have the fingerprint \(unknown), but that of vit-quickgelu-f16 is \(ReducedModel.fingerprint)",
            stated: unknown),
        taking(
            "a safetensors file of another model", 65, "but that of vit-quickgelu-f16 is", stated: unknown, ending: "safetensors"),
        taking("another model given", 65, "\(unknown), but that of vit-quickgelu-f16 is", given: unknown),
        taking(
            "file and option that contradict each other", 65,
            "fingerprint \(unknown), but --fingerprint is \(ReducedModel.fingerprint)",
            stated: unknown, given: ReducedModel.fingerprint),
        taking(
            "vectors of another dimension", 65, "have 63 numbers, but vit-quickgelu-f16 makes 64", dimension: 63,
            stated: ReducedModel.fingerprint),
        taking(
            "vectors of other pictures", 65, "its first row is of 0-0.png", names: ["0-0.png", "b.png"],
            stated: ReducedModel.fingerprint),
        taking("a file without rows", 65, "it has no rows", names: [], given: ReducedModel.fingerprint),
    ]

    // MARK: Training

    private static func training(
        _ what: String, _ code: Int32, _ fragment: String, splits: [String] = ["train", "train"], rest: [String] = [],
        _ recipe: @escaping @Sendable (Workplace) throws -> String
    ) -> Refusal {
        .init(what, code, fragment) {
            ["train", try recipe($0), "--data", try $0.dataset(4, splits: splits), "--out", $0("run")] + rest
        }
    }

    static let trainings: [Refusal] = [
        training("a recipe that is not there", 66, "nowhere.json") { $0("nowhere.json") },
        training("a recipe that is no JSON", 65, "not well-formed JSON") { try $0.write("r.json", "{") },
        training("a recipe with a misspelt key", 65, "unknown key epocs") {
            try $0.recipe { $0.replacingOccurrences(of: "\"keep\"", with: "\"epocs\"") }
        },
        training("a misspelt key inside a section", 65, "unknown key optimizer.schedule.warmup_step;") {
            try $0.recipe { $0.replacingOccurrences(of: "warmup_steps", with: "warmup_step") }
        },
        training("a recipe without epochs", 65, "lacks the key epochs") {
            try $0.recipe { $0.replacingOccurrences(of: "\"epochs\": 2,", with: "") }
        },
        training("a rate that is a text", 65, "optimizer.rate is fast") {
            try $0.recipe { $0.replacingOccurrences(of: "\"rate\": 0.001", with: "\"rate\": \"fast\"") }
        },
        training("no rows to train on", 65, "nothing to train on", splits: ["query", "gallery"]) { try $0.recipe() },
        .init("photos without identities", 65, "give the photos of one product the same product_id, at least two of each") {
            ["train", try $0.recipe(), "--data", try $0.boutique(6), "--out", $0("run")]
        },
        training("a run that is already there", 64, "already holds a run") {
            try $0.write("run/recipe.json", "{}")
            return try $0.recipe()
        },
        training("nothing to go on with", 66, "no checkpoint to resume", rest: ["--resume"]) { try $0.recipe() },
        training("another recipe than the run's", 65, "optimizer.rate is 0.001, here 0.002", rest: ["--resume"]) {
            let begun = try $0.recipe()
            try $0.write("run/recipe.json", String(contentsOfFile: begun, encoding: .utf8))
            return try $0.recipe { $0.replacingOccurrences(of: "\"rate\": 0.001", with: "\"rate\": 0.002") }
        },
        training("a run whose recipe is broken", 65, "run/recipe.json lacks the key name", rest: ["--resume"]) {
            try $0.write("run/recipe.json", "{}")
            return try $0.recipe()
        },
        training("a misspelt key of a loss", 65, "unknown key losses[1].temp;") {
            try $0.recipe { $0.replacingOccurrences(of: "\"temperature\"", with: "\"temp\"") }
        },
        training("a loss that nobody knows", 65, "losses[0].kind is clip, expected info-nce or supcon") {
            try $0.recipe { $0.replacingOccurrences(of: "info-nce", with: "clip") }
        },
        training("a run where nobody can write", 74, "can't be written", rest: ["--out", "/proc/run"]) { try $0.recipe() },
    ]
}

extension Workplace {
    /// A recipe of a very small model: two epochs of so many steps.
    func recipe(steps: Int = 3, _ change: (String) -> String = { $0 }) throws -> String {
        try write(
            "recipe.json",
            change(
                """
                {"name": "tiny", "seed": 3, "keep": 0, "epochs": 2, "steps_per_epoch": \(steps),
                 "model": {"tower": "vit", "width": 32, "layers": 1, "heads": 1, "patch": 16, "resolution": 32, "embedding": 16,
                           "text_width": 64, "text_layers": 1, "context_length": 12, "fitting": "squash", "vocabulary": "\(ReducedModel.path)"},
                 "captions": ["a photo of a {category}"], "batch": {"items": 4, "views": 2},
                 "optimizer": {"rate": 0.001, "schedule": {"kind": "cosine", "warmup_steps": 2}},
                 "losses": [{"kind": "info-nce"}, {"kind": "supcon", "temperature": 0.1}]}
                """))
    }
}

extension CommandSuites {
    @Suite("What the command refuses")
    struct RefusalTests {
        private func check(_ refusal: Refusal, _ place: Workplace) async throws {
            let outcome = try await Command.start(refusal.arguments(place)).end()
            #expect(outcome.code == refusal.code, "\(outcome)")
            #expect(outcome.output.isEmpty, "\(outcome)")
            try #require(outcome.errors.count == 1, "\(outcome)")
            #expect(outcome.errors[0].contains(refusal.fragment))
            #expect(outcome.said.last == outcome.errors[0])
            Self.expectSentence(outcome.errors[0])
        }

        /// One sentence for people, without the program's own words.
        static func expectSentence(_ text: String) {
            #expect(text.hasSuffix(".") && !text.hasSuffix(".."), "\(text)")
            let traces = [
                "Optional(", "Error(", "CatalogError", "ImageError", "CLIPError", "TorchError", "TensorFileError",
                "RetrievalError",
                "TrainingError", "NSError", "Domain=", "Fatal", ".swift", "ArgumentParser", "0x", "Swift.",
            ]
            for trace in traces { #expect(!text.contains(trace), "\(text)") }
        }

        @Test("arguments", arguments: Refusal.usage)
        func usage(refusal: Refusal) async throws { try await check(refusal, Workplace()) }

        @Test("pictures", arguments: Refusal.pictures)
        func pictures(refusal: Refusal) async throws { try await check(refusal, Workplace()) }

        @Test("sources and catalogues", arguments: Refusal.sources)
        func sources(refusal: Refusal) async throws {
            let place = try Workplace()
            try await check(refusal, place)
            // A failed import leaves no empty file.
            #expect(!FileManager.default.fileExists(atPath: place("new.db")))
        }

        @Test("models", arguments: Refusal.models)
        func models(refusal: Refusal) async throws { try await check(refusal, Workplace()) }

        @Test("searches")
        func searches() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", place.boutique(10), "--catalog", place("x.db"), "--json").good()
            _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--json").good()
            for refusal in Refusal.searches { try await check(refusal, place) }

            // What only a catalogue made by something else can hold: vectors of this model with another dimension.
            let fingerprint = try place.look("x.db") { try #require(try $0.counts().vectors.keys.first) }
            let store = try CatalogStore(path: place("other.db"), mode: .create)
            _ = try store.importCatalog(
                from: URL(fileURLWithPath: place("pictures")), inspect: { _, _ in PictureSize(width: 44, height: 52) })
            let image = try #require(try store.images().first)
            try store.writeVectors(
                [NewVector(image: image.id, contentHash: nil, components: [1, 0, 0])],
                of: ModelRecord(fingerprint: fingerprint, name: "other", dimension: 3))
            try store.close()
            try await check(
                Refusal("dimension", 65, "have 3 numbers, the model makes 64") {
                    ["search", image.path, "--catalog", $0("other.db"), "--model", ReducedModel.path]
                }, place)
        }

        @Test("a text for a model that has no vocabulary")
        func noVocabulary() async throws {
            let place = try Workplace()
            let model = try place.model("mute") { _ in }
            for name in ["vocab.json", "merges.txt"] { try FileManager.default.removeItem(atPath: "\(model)/\(name)") }
            _ = try await Command.run("import", place.boutique(2), "--catalog", place("x.db"), "--json").good()
            _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", model, "--json").good()
            try await check(
                Refusal("text", 64, "takes pictures only") {
                    ["search", "--text", "dress", "--catalog", $0("x.db"), "--model", model]
                }, place)
        }

        @Test("vectors made elsewhere")
        func foreignVectors() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", place.dataset(2), "--catalog", place("x.db"), "--json").good()
            for refusal in Refusal.foreignVectors { try await check(refusal, place) }
            #expect(try place.look("x.db") { try $0.models().isEmpty })
        }

        @Test("measurements", arguments: Refusal.measurements)
        func measurements(refusal: Refusal) async throws { try await check(refusal, Workplace()) }

        @Test("trainings", arguments: Refusal.trainings)
        func trainings(refusal: Refusal) async throws { try await check(refusal, Workplace()) }

        @Test("a source of which nothing is good ends with its counts and 65")
        func nothingGood() async throws {
            let place = try Workplace()
            try place.write("pictures/a.png", "text")
            let outcome = try await Command.run("import", place("pictures"), "--catalog", place("x.db"), "--json")
            #expect(outcome.code == 65 && outcome.errors.count == 1, "\(outcome)")
            #expect(try outcome.json()["images_broken"] as? Int == 1)
            #expect(!FileManager.default.fileExists(atPath: place("x.db")))
        }

        @Test("a picture of more pixels than allowed is refused with both numbers, and comes in where more are allowed")
        func maximalPixels() async throws {
            let place = try Workplace()
            try place.picture("pictures/a.png", 1, width: 1001, height: 1000)
            try place.picture("pictures/b.png", 2, width: 10, height: 10)
            let arguments = ["import", place("pictures"), "--catalog", place("x.db"), "--json", "--max-pixels"]
            let small = try await Command.start(arguments + ["1"]).end()
            #expect(try small.good()["images_broken"] as? Int == 1)
            #expect(small.said.contains { $0.contains("1001 x 1000") && $0.contains("1000000") }, "\(small)")
            #expect(try await Command.start(arguments + ["2"]).end().good()["images_added"] as? Int == 1)
            // What import has let in is embedded, unless one wants it otherwise.
            let embedding = ["embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--json"]
            let strict = try await Command.start(embedding + ["--max-pixels", "1"]).end()
            #expect(try strict.good()["embedded"] as? Int == 1)
            #expect(strict.said.contains { $0.contains("1001 x 1000") && $0.contains("1000000") }, "\(strict)")
            #expect(try await Command.start(embedding).end().good()["embedded"] as? Int == 1)
        }

        @Test("an import says for people what came, went and was left out")
        func summary() async throws {
            let place = try Workplace()
            try place.boutique(4)
            try place.write("pictures/notes.txt", "text")
            try FileManager.default.moveItem(atPath: place(Workplace.name(0)), toPath: place("pictures/no ending"))
            let first = try await Command.run("import", place("pictures"), "--catalog", place("x.db"))
            #expect(first.code == 0 && first.text.hasPrefix("4 products added, 0 updated; 4 images added"), "\(first)")
            #expect(first.text.contains("1 other files left out (.txt 1)"), "\(first)")
            try FileManager.default.removeItem(atPath: place("pictures/no ending"))
            try FileManager.default.removeItem(atPath: place("pictures/shirts"))
            let second = try await Command.run("import", place("pictures"), "--catalog", place("x.db"), "--prune")
            #expect(second.text.contains("1 pruned; 2 are in the source no more and stay in the catalogue"), "\(second)")
            #expect(second.said.contains { $0.contains("/shirts: ") && $0.contains("--prune-emptied") }, "\(second)")
            let strict = try await Command.run("import", place("pictures"), "--catalog", place("x.db"), "--prune", "--strict")
            #expect(strict.code == 65, "\(strict)")
            let third = try await Command.run(
                "import", place("pictures"), "--catalog", place("x.db"), "--prune", "--prune-emptied")
            #expect(third.code == 0 && third.text.contains("2 pruned"), "\(third)")
        }

        @Test("a catalogue in a folder that is not writable", .enabled(if: geteuid() != 0, "root may write everywhere"))
        func readOnlyFolder() async throws {
            let place = try Workplace()
            let folder = try place.makeFolder("locked")
            chmod(folder, 0o555)
            defer { chmod(folder, 0o755) }
            try await check(
                Refusal("read-only", 74, "cannot be") { ["import", try $0.boutique(1), "--catalog", folder + "/x.db"] }, place)
        }

        /// 400 rows whose descriptions together are larger than the room there will be.
        private func largeManifest(_ place: Workplace) throws -> (small: String, large: String) {
            let description = String(repeating: "wool ", count: 1500)
            var rows: [String] = []
            for number in 0..<400 {
                try place.picture("many/\(number).png", number, width: 8, height: 8)
                rows.append(
                    #"{"image": "many/\#(number).png", "product_id": "G\#(number)", "description": "\#(number < 10 ? "short" : description)"}"#
                )
            }
            return (
                try place.write("small.jsonl", rows.prefix(10).joined(separator: "\n")),
                try place.write("large.jsonl", rows.joined(separator: "\n"))
            )
        }

        /// Imports a little, then too much, then the little again: what was acknowledged is still there.
        private static let overflow = """
            "$0" import "$1" --catalog "$3/x.db" --json >/dev/null 2>&1 || { echo "first $?"; exit 1; }
            "$0" import "$2" --catalog "$3/x.db" --json
            echo "code $?" >&2
            "$0" import "$1" --catalog "$3/x.db" --json 2>/dev/null
            """

        private func checkOverflow(_ outcome: Outcome) throws {
            #expect(outcome.said.last == "code 74", "\(outcome)")
            try #require(outcome.errors.count == 1, "\(outcome)")
            Self.expectSentence(outcome.errors[0])
            #expect(try outcome.json()["images_unchanged"] as? Int == 10)
        }

        @Test("a file that may grow no further, as on a full disk, keeps what was acknowledged")
        func fileSizeLimit() async throws {
            let place = try Workplace()
            let (small, large) = try largeManifest(place)
            // 1 MiB; without the trap the system would end the program with a signal.
            let outcome = try await Command.shell("trap '' XFSZ; ulimit -f 2048; " + Self.overflow, small, large, place.path)
            try checkOverflow(outcome)
        }

        /// Whether this user may mount a file system of its own.
        private static let mayMount: Bool = {
            let options = geteuid() == 0 ? "-m" : "-rm"
            return system("unshare \(options) sh -c 'mount -t tmpfs none /mnt' >/dev/null 2>&1") == 0
        }()

        @Test("a full disk keeps what was acknowledged", .enabled(if: mayMount, "needs the right to mount"))
        func fullDisk() async throws {
            let place = try Workplace()
            let (small, large) = try largeManifest(place)
            let disk = try place.makeFolder("disk")
            try place.write("fill.sh", "mount -t tmpfs -o size=1m none \"$3\" || exit 9\n" + Self.overflow)
            let options = geteuid() == 0 ? "-m" : "-rm"
            // The script's $0 is the program, as for every script here.
            let outcome = try await Command.shell(
                "exec unshare \(options) sh -c \"$(cat '\(place("fill.sh"))')\" \"$0\" \"$1\" \"$2\" \"$3\"", small, large, disk)
            try checkOverflow(outcome)
            #expect(outcome.errors[0].contains("is full"))
        }

        @Test("a result that can't be written is no success", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
        func fullOutput() async throws {
            let outcome = try await Command.shell(#""$0" models inspect "$1" --json >/dev/full"#, ReducedModel.path)
            #expect(outcome.code == 74 && outcome.errors.count == 1, "\(outcome)")
        }

        @Test("a closed stderr is no reason to fail")
        func closedError() async throws {
            let place = try Workplace()
            let outcome = try await Command.shell(
                #""$0" import "$1" --catalog "$2" --json 2>&-"#, place.boutique(3), place("x.db"))
            #expect(try outcome.good()["images_added"] as? Int == 3)
        }

        @Test(
            "every subcommand explains itself",
            arguments: ["import", "embed", "search", "evaluate", "features", "models", "train"])
        func help(name: String) async throws {
            let outcome = try await Command.run(name, "--help")
            #expect(
                outcome.code == 0 && outcome.said.isEmpty && outcome.text.contains("USAGE: stylefinder \(name)"), "\(outcome)")
        }

        @Test("without arguments, and without the variable that it sets itself, it explains itself")
        func noArguments() async throws {
            let outcome = try await Command.run(environment: ["OMP_WAIT_POLICY": ""])
            #expect(
                outcome.code == 0 && outcome.text.contains("USAGE: stylefinder") && outcome.text.contains("import"), "\(outcome)")
        }
    }
}
