import TensorFiles
import Testing

@Suite("Shards of a safetensors checkpoint")
struct ShardedTensorsTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try SafetensorsWriter.write(
            [TensorToWrite(name: "b", floats: [1, 2], shape: [2]), TensorToWrite(name: "a", floats: [3], shape: [])],
            to: folder.path("model-00001-of-00002.safetensors"))
        try SafetensorsWriter.write([4, 5, 6], shape: [3, 1], named: "c", to: folder.path("model-00002-of-00002.safetensors"))
    }

    private func open(_ json: String) throws -> ShardedTensors {
        try ShardedTensors(path: folder.write(Array(json.utf8), as: "model.safetensors.index.json"))
    }

    private static let first = "model-00001-of-00002.safetensors"
    private static let second = "model-00002-of-00002.safetensors"
    private static let map = #""a":"\#(first)","b":"\#(first)","c":"\#(second)""#

    @Test("all tensors of all shards are there, as if they lay in one file")
    func whole() throws {
        let shards = try open(#"{"metadata":{"total_size":24},"weight_map":{\#(Self.map)}}"#)
        #expect(shards.names == ["b", "a", "c"])
        #expect(shards.tensors["c"]?.shape == [3, 1])
        #expect(try shards.floats("a") == [3])
        #expect(try shards.floats("c") == [4, 5, 6])
        #expect(try shards.withBytes(of: "b") { $0.count } == 8)
        #expect(shards.liesInPlace("c") && !shards.liesInPlace("d"))
        let absent = TensorFileError.noSuchTensor(path: shards.path, tensor: "d", count: 3)
        #expect(throws: absent) { _ = try shards.floats("d") }
        #expect(throws: absent) { try shards.withBytes(of: "d") { _ in } }
    }

    @Test("an index in the working folder finds its shards there")
    func noFolder() {
        let error = #expect(throws: TensorFileError.self) { _ = try ShardedTensors(path: "there-is-no-such.index.json") }
        #expect(error == .cannotOpen(path: "there-is-no-such.index.json", reason: "No such file or directory"))
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let what: String
        let json: String
        let says: String
        var testDescription: String { what }
    }

    static let faults: [Fault] = [
        Fault(what: "no JSON", json: "hello", says: "holds broken JSON: expected a JSON value at byte 0"),
        Fault(what: "no map", json: #"{"metadata":{}}"#, says: "`weight_map` is missing"),
        Fault(what: "a list", json: "[]", says: "`weight_map` is missing"),
        Fault(
            what: "a number for a shard", json: #"{"weight_map":{"a":1}}"#, says: "`weight_map.a` is 1, expected a shard's name"),
        Fault(what: "a tensor twice", json: #"{"weight_map":{\#(map),"a":"\#(second)"}}"#, says: "the key `a` stands twice"),
        Fault(
            what: "a shard that is not there", json: #"{"weight_map":{\#(map),"d":"model-00003.safetensors"}}"#,
            says: "names the shard `model-00003.safetensors`, which is not in its folder"),
        Fault(
            what: "a tensor that no shard has", json: #"{"weight_map":{\#(map),"d":"\#(second)"}}"#,
            says: "tensor `d` is not in `\(second)`, where the index places it"),
        Fault(
            what: "a tensor in another shard", json: #"{"weight_map":{"a":"\#(first)","b":"\#(second)","c":"\#(second)"}}"#,
            says: "tensor `b` is in `\(first)`, and the index places it in `\(second)`"),
        Fault(
            what: "a tensor that is not listed", json: #"{"weight_map":{"a":"\#(first)","c":"\#(second)"}}"#,
            says: "tensor `b` is in `\(first)` and not in the index"),
        Fault(
            what: "a shard in another folder", json: #"{"weight_map":{"a":"../\#(first)"}}"#,
            says: "a shard called \"../\(first)\", expected the name of a file beside the index"),
        Fault(
            what: "a shard by an absolute path", json: #"{"weight_map":{"a":"/etc/passwd"}}"#,
            says: "a shard called \"/etc/passwd\""),
        Fault(what: "a shard without a name", json: #"{"weight_map":{"a":""}}"#, says: "a shard called \"\""),
        Fault(what: "the folder itself", json: #"{"weight_map":{"a":".."}}"#, says: "a shard called \"..\""),
    ]

    @Test("a planted fault is refused with what was found and what is right", arguments: faults)
    func plantedFault(_ fault: Fault) throws {
        let error = try #require(throws: TensorFileError.self) { _ = try open(fault.json) }
        #expect(error.description.contains(fault.says), "\(error)")
    }

    @Test("a shard that is broken is named itself")
    func brokenShard() throws {
        let path = try folder.write([1, 2, 3], as: Self.second)
        #expect(throws: TensorFileError.truncated(path: path, part: "header length", expected: 8, found: 3)) {
            _ = try open(#"{"weight_map":{\#(Self.map)}}"#)
        }
    }
}
