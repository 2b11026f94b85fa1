import Foundation
import TensorFiles
import Testing

@Suite("safetensors files that are read")
struct SafetensorsFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a file of the reference library has its names, shapes, metadata and values")
    func reference() throws {
        let file = try SafetensorsFile(path: Fixture.path("reference.safetensors"))
        #expect(file.metadata == ["format": "pt", "note": "quote \" backslash \\ line\nend é 👗"])
        #expect(
            file.names == [
                "i64", "f64", "empty", "f32", "scalar", "weird/näme.\"quoted\"", "i32", "bf16", "f16", "i16", "i8", "u8", "bool",
            ])
        #expect(file.tensors["f64"]?.shape == [3, 4])
        #expect(file.tensors["scalar"]?.shape == [])
        #expect(file.tensors["scalar"]?.elementCount == 1)
        #expect(file.tensors["empty"]?.shape == [0, 5])
        #expect(try file.floats("empty") == [])
        #expect(try file.floats("scalar") == [2.5])
        #expect(try file.floats("weird/näme.\"quoted\"") == [4])

        let inf = Float.infinity
        let wide: [Float] = [0, -0.0, 1, -1.5, 0.1, 65504, 0x1p-14, 0x1p-24, 1e-3, inf, -inf, .nan]
        // What torch printed for the same values in 16 bits.
        let half: [Float] = [0, -0.0, 1, -1.5, 0.0999755859375, 65504, 0x1p-14, 0x1p-24, 0.0010004043579101562, inf, -inf, .nan]
        let brain: [Float] = [0, -0.0, 1, -1.5, 0.10009765625, 65536, 0x1p-14, 0x1p-24, 0.00099945068359375, inf, -inf, .nan]
        for (name, expected) in [("f64", wide), ("f32", wide), ("f16", half), ("bf16", brain)] {
            let found = try file.floats(name)
            // Compared as bits, so that -0 and 0 differ; NaN has many patterns, and one is enough.
            #expect(found.dropLast().map(\.bitPattern) == expected.dropLast().map(\.bitPattern), "\(name)")
            #expect(try #require(found.last).isNaN, "\(name)")
        }
        #expect(try file.withBytes(of: "u8") { Array($0) } == [0, 1, 255])
        #expect(try file.withBytes(of: "bool") { Array($0) } == [1, 0, 1])
        #expect(try file.withBytes(of: "i8") { $0.map { Int8(bitPattern: $0) } } == [-3, 0, 7, 100, -128, 127])
        #expect(
            try file.withBytes(of: "i64") { bytes in (0..<6).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) } }
                == [-3, 0, 7, 100, -128, 127])
    }

    @Test("elements at an odd address are read")
    func unaligned() throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#
        let values: [Float] = [1.25, -3]
        let path = try folder.write(safetensors(header: header, data: [7] + values.withUnsafeBytes(Array.init)))
        #expect(try SafetensorsFile(path: path).floats("b") == values)
    }

    @Test("a header may order tensors differently from their bytes, and be padded with blanks")
    func headerOrder() throws {
        let header =
            #"{"b":{"shape":[1],"data_offsets":[1,2],"dtype":"U8"}, "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
            + "  \n"
        let file = try SafetensorsFile(path: try folder.write(safetensors(header: header, data: [1, 2])))
        #expect(file.names == ["a", "b"])
        #expect(try file.withBytes(of: "b") { $0[0] } == 2)
    }

    @Test("a file without tensors is a file")
    func noTensors() throws {
        let file = try SafetensorsFile(path: try folder.write(safetensors(header: "{}")))
        #expect(file.names.isEmpty && file.metadata.isEmpty)
    }

    @Test("a file cut off after any byte is refused in one sentence that names it")
    func truncations() throws {
        let whole = try Data(contentsOf: URL(filePath: Fixture.path("reference.safetensors")))
        for length in 0..<whole.count {
            let path = try folder.write(Array(whole.prefix(length)))
            let error = try #require(throws: TensorFileError.self) { _ = try SafetensorsFile(path: path) }
            guard case .truncated(path: path, _, let expected, let found) = error else {
                Issue.record("\(length) bytes: \(error)")
                continue
            }
            #expect(found < expected)
            #expect(error.description.contains(path))
        }
        #expect(try SafetensorsFile(path: try folder.write(Array(whole))).names.count == 13)
    }

    @Test("one byte too many is refused")
    func trailing() throws {
        let whole = try Data(contentsOf: URL(filePath: Fixture.path("reference.safetensors")))
        let path = try folder.write(Array(whole) + [0])
        #expect(throws: TensorFileError.trailingBytes(path: path, found: 297, expected: 296)) {
            _ = try SafetensorsFile(path: path)
        }
    }

    @Test("what is no file, or no tensor of the file, is named")
    func absent() throws {
        let missing = folder.path("missing.safetensors")
        #expect(throws: TensorFileError.cannotOpen(path: missing, reason: "No such file or directory")) {
            _ = try SafetensorsFile(path: missing)
        }
        #expect(throws: TensorFileError.notARegularFile(path: folder.url.path)) { _ = try SafetensorsFile(path: folder.url.path) }
        let path = Fixture.path("reference.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(throws: TensorFileError.noSuchTensor(path: path, tensor: "x", count: 13)) { _ = try file.floats("x") }
        #expect(throws: TensorFileError.noSuchTensor(path: path, tensor: "x", count: 13)) { try file.withBytes(of: "x") { _ in } }
        #expect(throws: TensorFileError.notFloatingPoint(path: path, tensor: "i32", found: .int32)) { _ = try file.floats("i32") }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let what: String
        let header: String
        var data: [UInt8] = [0, 0, 0, 0]
        var length: UInt64?
        /// A part of the sentence that only the right diagnosis holds.
        let says: String
        var testDescription: String { what }
    }

    static func tensor(_ dtype: String = "\"F32\"", _ shape: String = "[1]", _ offsets: String = "[0,4]") -> String {
        #"{"w":{"dtype":\#(dtype),"shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    static let faults: [Fault] = [
        Fault(what: "header length 0", header: tensor(), length: 0, says: "is 0, expected 2 to 100000000"),
        Fault(what: "header length over the limit", header: tensor(), length: 100_000_001, says: "is 100000001, expected"),
        Fault(what: "header length of 2^64 - 1", header: tensor(), length: .max, says: "is 18446744073709551615, expected"),
        Fault(what: "header length beyond the file", header: tensor(), length: 4096, says: "its header needs 4096 bytes"),
        Fault(what: "blank before the brace", header: " " + tensor(), says: "expected `{` as the header's first byte"),
        Fault(what: "an array", header: "[]", says: "expected `{` as the header's first byte"),
        Fault(what: "text behind the brace", header: tensor() + "x", says: "text after the closing brace"),
        Fault(what: "trailing comma", header: #"{"w":1,}"#, says: "expected a key in quotes"),
        Fault(what: "no colon", header: #"{"w" 1}"#, says: "expected `:` after the key `w`"),
        Fault(what: "a tensor twice", header: #"{"w":{},"w":{}}"#, says: "the key `w` stands twice at byte 16"),
        Fault(what: "a field twice", header: #"{"w":{"dtype":"F32","dtype":"F32"}}"#, says: "the key `dtype` stands twice"),
        Fault(what: "a key twice, once escaped", header: #"{"w":{},"\u0077":{}}"#, says: "the key `w` stands twice"),
        Fault(what: "a string left open", header: #"{"w"#, says: "a string is not closed"),
        Fault(what: "a lone surrogate", header: #"{"\ud83d":1}"#, says: "a surrogate stands alone"),
        Fault(what: "an unknown escape", header: #"{"\x":1}"#, says: "unknown escape"),
        Fault(what: "a control character", header: "{\"a\u{1}\":1}", says: "bare control character"),
        Fault(what: "deep nesting", header: #"{"w":"# + String(repeating: "[", count: 100_000), says: "nest deeper"),
        Fault(what: "a bare word", header: #"{"w":nul}"#, says: "expected `null`"),
        Fault(what: "a leading zero", header: tensor("\"F32\"", "[01]"), says: "leading zero"),
        Fault(what: "NaN", header: #"{"w":NaN}"#, says: "expected a JSON value"),
        Fault(what: "a tensor that is a number", header: #"{"w":1}"#, says: "`w` is 1, expected an object"),
        Fault(
            what: "metadata that is a text", header: #"{"__metadata__":"x"}"#, says: "`__metadata__` is \"x\", expected an object"
        ),
        Fault(
            what: "a number in the metadata", header: #"{"__metadata__":{"a":1}}"#, says: "`__metadata__.a` is 1, expected a text"
        ),
        Fault(what: "no dtype", header: #"{"w":{"shape":[1],"data_offsets":[0,4]}}"#, says: "`w.dtype` is missing"),
        Fault(what: "no shape", header: #"{"w":{"dtype":"F32","data_offsets":[0,4]}}"#, says: "`w.shape` is missing"),
        Fault(what: "no offsets", header: #"{"w":{"dtype":"F32","shape":[1]}}"#, says: "`w.data_offsets` is missing"),
        Fault(what: "an unknown field", header: #"{"w":{"dtype":"F32","strides":[1]}}"#, says: "`w.strides` is unknown"),
        Fault(
            what: "an unknown dtype", header: tensor("\"F8_E4M3\""), says: "`w.dtype` is \"F8_E4M3\", expected one of F64, F32"),
        Fault(what: "a lower-case dtype", header: tensor("\"f32\""), says: "`w.dtype` is \"f32\""),
        Fault(what: "a negative extent", header: tensor("\"F32\"", "[-1]"), says: "`w.shape[0]` is -1, expected a whole number"),
        Fault(what: "a fractional extent", header: tensor("\"F32\"", "[1.0]"), says: "`w.shape[0]` is 1.0"),
        Fault(what: "an exponent", header: tensor("\"F32\"", "[1e0]"), says: "`w.shape[0]` is 1e0"),
        Fault(
            what: "an extent of 2^63", header: tensor("\"F32\"", "[9223372036854775808]"),
            says: "`w.shape[0]` is 9223372036854775808"),
        Fault(
            what: "a product that overflows", header: tensor("\"F32\"", "[4294967296,4294967296]"),
            says: "expected a product that fits"),
        Fault(
            what: "an overflow hidden by a zero", header: tensor("\"F32\"", "[4294967296,4294967296,0]", "[0,0]"),
            says: "expected a product that fits"),
        Fault(what: "a shape that is a number", header: tensor("\"F32\"", "1"), says: "`w.shape` is 1, expected an array"),
        Fault(what: "three offsets", header: tensor("\"F32\"", "[1]", "[0,4,8]"), says: "expected [begin, end]"),
        Fault(what: "offsets backwards", header: tensor("\"F32\"", "[1]", "[4,0]"), says: "is [4, 0], expected [begin, end]"),
        Fault(what: "fewer bytes than the shape", header: tensor("\"F32\"", "[2]"), says: "has 4 bytes, expected 8"),
        Fault(what: "more bytes than the shape", header: tensor("\"F16\"", "[1]"), says: "has 4 bytes, expected 2"),
        Fault(
            what: "offsets at the end of the address space",
            header: tensor("\"U8\"", "[0]", "[9223372036854775807,9223372036854775807]"), says: "expected offsets inside the file"
        ),
        Fault(what: "data beyond the file", header: tensor("\"F32\"", "[4]", "[0,16]"), says: "its data needs 16 bytes, found 4"),
        Fault(
            what: "a gap at the beginning", header: tensor("\"U8\"", "[2]", "[2,4]"), says: "begins at data byte 2, expected 0"),
        Fault(
            what: "a gap between two",
            header: #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            says: "`b` begins at data byte 2, expected 1"),
        Fault(
            what: "an overlap",
            header: #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            says: "`b` begins at data byte 2, expected 3"),
        Fault(
            what: "two tensors on the same bytes",
            header: #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            says: "begins at data byte 0, expected 4"),
        Fault(
            what: "bytes that no tensor owns", header: tensor("\"U8\"", "[3]", "[0,3]"),
            says: "has 4 bytes of data, expected the 3"),
    ]

    @Test("a planted fault is refused with what was found and what is right", arguments: faults)
    func plantedFault(_ fault: Fault) throws {
        let path = try folder.write(safetensors(header: fault.header, data: fault.data, length: fault.length))
        let error = try #require(throws: TensorFileError.self) { _ = try SafetensorsFile(path: path) }
        #expect(error.description.contains(fault.says))
        #expect(error.description.contains(path))
    }

    @Test("a header that is not UTF-8 is refused")
    func notUTF8() throws {
        let path = try folder.write([7, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8) + [0xC3, 0x28] + Array("\":1".utf8))
        let error = try #require(throws: TensorFileError.self) { _ = try SafetensorsFile(path: path) }
        #expect(error.description.contains("a string is not UTF-8"))
    }

    @Test("a NumPy array is named as one")
    func numpy() throws {
        let path = try folder.write([0x93] + Array("NUMPY\u{1}\u{0}v\u{0}{'descr': '<f4'}".utf8), as: "img_emb_0.npy")
        #expect(throws: TensorFileError.numpy(path: path)) { try SafetensorsFile(path: path) }
        #expect(TensorFileError.numpy(path: path).description.hasPrefix("\(path) is a NumPy array, and .npy is not read"))
    }
}
