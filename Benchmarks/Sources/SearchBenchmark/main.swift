// Measures exact search beside a peer: reads one line per request on stdin, answers with one line on stdout.
//
//     SearchBenchmark GALLERY.safetensors QUERIES.safetensors K [graph]
//
// `floats N`, `codes N` and, where asked for, `graph N` search query N alone on one thread, over either form of the vectors or by a graph, and answer `<milliseconds> <id> <id> …`; the end of
// the input ends the program.
// Benchmarks/search.py drives it and the peer in turns, so that both see the same machine.
//
//     SearchBenchmark catalog FILE.db IMAGES DIMENSION [exact]
//
// makes a catalogue of that many images, unless the file is there, and prints what loading, filters and searches of 8 clients take, and a start from
// search files; by codes, or by floats.

import Foundation
import Retrieval

/// Answers at once: print would keep a line back until a buffer is full, and the driver waits for it.
func answer(_ line: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

if (5...6).contains(CommandLine.arguments.count), CommandLine.arguments[1] == "catalog",
    let images = Int(CommandLine.arguments[3]),
    let dimension = Int(CommandLine.arguments[4])
{
    let catalog = GeneratedCatalog(path: CommandLine.arguments[2], images: images, dimension: dimension)
    try await LiveBenchmark(
        catalog: catalog, clients: 8, searchesPerClient: 25, form: CommandLine.arguments.last == "exact" ? .floats : .codes
    ).run()
    exit(0)
}
guard (4...5).contains(CommandLine.arguments.count), let k = Int(CommandLine.arguments[3]) else {
    print(
        "usage: SearchBenchmark GALLERY.safetensors QUERIES.safetensors K [graph], or SearchBenchmark catalog FILE.db IMAGES DIMENSION"
    )
    throw RetrievalError.count(what: "arguments", found: CommandLine.arguments.count - 1, expected: 3)
}
let gallery = try EmbeddingFile(path: CommandLine.arguments[1])
let queries = try EmbeddingFile(path: CommandLine.arguments[2])
func index(_ form: VectorForm) throws -> ExactIndex {
    try ExactIndex(
        ids: (0..<Int64(gallery.count)).map { $0 }, vectors: gallery.vectors, dimension: gallery.dimension, form: form)
}
var indexes: [String: any VectorIndex] = ["floats": try index(.floats), "codes": try index(.codes)]
if CommandLine.arguments.last == "graph" {
    let live = try LiveIndex(dimension: gallery.dimension, segments: [index(.codes)], form: .codes)
    let begin = ContinuousClock.now
    try live.buildGraphs()
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    FileHandle.standardError.write(Data("a graph over \(live.count) vectors was built in \(seconds) s\n".utf8))
    indexes["graph"] = live
}
try answer("ready \(gallery.count) \(gallery.dimension) \(InstructionSet.best)")
let clock = ContinuousClock()

while let line = readLine() {
    let words = line.split(separator: " ")
    guard words.count == 2, let index = indexes[String(words[0])], let number = Int(words[1]),
        (0..<queries.count).contains(number)
    else {
        throw RetrievalError.rowOutOfRange(what: "requests", row: -1, count: queries.count)
    }
    let query = Array(queries.vector(number))
    var hits: [Hit] = []
    let elapsed = try await clock.measure { hits = try await index.search(VectorRequest(vectors: query, k: k))[0] }
    try answer("\(elapsed / .milliseconds(1)) \(hits.map { String($0.id) }.joined(separator: " "))")
}
