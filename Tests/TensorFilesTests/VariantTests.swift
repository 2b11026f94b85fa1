import Foundation
import TensorFiles
import Testing

@Suite("variants: differences from a baseline's tensors")
struct VariantTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let shapes = [
        ("wide", [12, 70]), ("filter", [8, 3, 3, 3]), ("bias", [12]), ("scale", []), ("same", [5, 5]),
    ]

    /// Numbers that look like weights: seeded, centred, of either sign.
    private func numbers(_ count: Int, seed: UInt64, scale: Float) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Float(state >> 40) / Float(1 << 23) - 1) * scale
        }
    }

    private func baseline() throws -> SafetensorsFile {
        try SafetensorsWriter.write(
            Self.shapes.enumerated().map { index, tensor in
                TensorToWrite(
                    name: tensor.0, floats: numbers(tensor.1.reduce(1, *), seed: UInt64(index), scale: 0.3), shape: tensor.1,
                    as: index == 0 ? .float16 : .float32)
            }, to: folder.path("baseline.safetensors"))
        return try SafetensorsFile(path: folder.path("baseline.safetensors"))
    }

    /// All tensors but `same`, moved a little.
    private func changed(_ baseline: SafetensorsFile) throws -> [VariantWriter.Changed] {
        try Self.shapes.enumerated().map { index, tensor in
            let floats = try baseline.floats(tensor.0)
            let move = numbers(floats.count, seed: 99 + UInt64(index), scale: tensor.0 == "same" ? 0 : 0.01)
            return (tensor.0, zip(floats, move).map(+))
        }
    }

    private func written(_ baseline: SafetensorsFile, coarseness: Float) throws -> (count: Int, file: SafetensorsFile) {
        let path = folder.path("variant.safetensors")
        let count = try VariantWriter.write(
            changed(baseline), of: (baseline, "baseline.safetensors", "digest"), coarseness: coarseness, metadata: ["a": "b"],
            to: path)
        return (count, try SafetensorsFile(path: path))
    }

    @Test(
        "what was learned comes back within half a step of its row; the rest bit for bit", arguments: [0.02, 0.25, 1] as [Float])
    func roundTrip(_ coarseness: Float) throws {
        let baseline = try baseline()
        let (count, file) = try written(baseline, coarseness: coarseness)
        #expect(count == 4)
        #expect(file.metadata == ["a": "b", "baseline": "baseline.safetensors", "baseline_sha256": "digest"])
        #expect(Set(file.names) == ["wide:codes", "wide:steps", "filter:codes", "filter:steps", "bias", "scale"])
        let variant = try VariantTensors(file, of: baseline)
        #expect(variant.names == baseline.names && variant.path == file.path)
        for (name, expected) in try changed(baseline) {
            let found = try variant.floats(name)
            let shape = try #require(Self.shapes.first { $0.0 == name }).1
            #expect(variant.tensors[name]?.shape == shape)
            let bytes = try variant.withBytes(of: name) { bytes in
                (0..<found.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
            #expect(bytes == found, "\(name): bytes and floats are one")
            guard shape.count > 1 else {
                #expect(found == expected && variant.liesInPlace(name), "\(name)")
                continue
            }
            if name == "same" {
                #expect(try found == baseline.floats(name) && variant.liesInPlace(name))
                continue
            }
            #expect(!variant.liesInPlace(name) && found != expected)
            let before = try baseline.floats(name)
            let width = expected.count / shape[0]
            for row in 0..<shape[0] {
                let places = (row * width)..<((row + 1) * width)
                let square = places.reduce(0) { $0 + (expected[$1] - before[$1]) * (expected[$1] - before[$1]) }
                let greatest = places.reduce(0) { max($0, abs(expected[$1] - before[$1])) }
                let half = max(coarseness * (square / Float(width)).squareRoot(), greatest / 127) / 2
                #expect(places.allSatisfy { abs(found[$0] - expected[$0]) <= half * 1.001 + 1e-7 }, "\(name) row \(row)")
            }
        }
    }

    @Test("numbers that are none, or too large to be divided by a step, are kept as they are, in the baseline or in the variant")
    func extremes() throws {
        let path = folder.path("baseline.safetensors")
        let far = Float.greatestFiniteMagnitude
        for (before, after) in [
            ([.nan, 1, 2, 3], [1, 2, 3, 4]), ([1, 2, 3, 4], [.infinity, 2, 3, 4]), ([-far, 0, 0, 0], [far, 0, 0, 0]),
            ([0, 0, 0, 0], [far / 2, 0, 0, 0]),
        ] as [([Float], [Float])] {
            try SafetensorsWriter.write(before, shape: [2, 2], named: "w", to: path)
            let baseline = try SafetensorsFile(path: path)
            let place = folder.path("variant.safetensors")
            _ = try VariantWriter.write([("w", after)], of: (baseline, "b", "d"), coarseness: 1, to: place)
            #expect(try VariantTensors(SafetensorsFile(path: place), of: baseline).floats("w") == after)
        }
    }

    @Test("a coarser file is smaller")
    func size() throws {
        let baseline = try baseline()
        let sizes = try [0.05, 0.25, 1].map { coarseness in
            try written(baseline, coarseness: Float(coarseness)).file.tensors["wide:codes"]?.byteCount ?? 0
        }
        #expect(sizes[2] < sizes[1] && sizes[1] < sizes[0] && sizes[2] * 8 < 4 * 12 * 70, "\(sizes)")
    }

    @Test("changes that do not fit the baseline are refused by name")
    func refusals() throws {
        let baseline = try baseline()
        func refused(_ tensors: [TensorToWrite], _ word: String) throws {
            let path = folder.path("wrong.safetensors")
            try SafetensorsWriter.write(tensors, to: path)
            let file = try SafetensorsFile(path: path)
            let error = #expect(throws: TensorFileError.self) {
                let variant = try VariantTensors(file, of: baseline)
                _ = try variant.floats("wide")
            }
            #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        }
        let steps = TensorToWrite(name: "wide:steps", floats: [Float](repeating: 1, count: 12), shape: [12])
        func codes(_ bytes: [UInt8]) -> TensorToWrite {
            TensorToWrite(name: "wide:codes", type: .uint8, shape: [bytes.count], bytes: bytes)
        }
        try refused([TensorToWrite(name: "other", floats: [1], shape: [1])], "other")
        try refused([TensorToWrite(name: "wide", floats: [1, 2], shape: [2])], "[12, 70]")
        try refused([codes([1, 2, 3])], "wide:steps")
        try refused([codes([1, 2, 3]), TensorToWrite(name: "wide:steps", floats: [1], shape: [1])], "[12]")
        try refused([codes([1, 2, 3]), steps], "inflate to 840 bytes")
        // One zero, where 840 codes belong.
        try refused([codes([0x78, 0x9C, 0x63, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01]), steps], "inflate to 840 bytes")
        // 100,000 zeros.
        let many: [UInt8] = [
            120, 218, 237, 193, 49, 1, 0, 0, 0, 194, 160, 245, 79, 109, 13, 15, 160, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 87, 3, 134, 175, 0, 1,
        ]
        try refused([codes(many), steps], "inflate to 840 bytes")
        try refused(
            [codes([1]), steps, TensorToWrite(name: "wide", floats: [Float](repeating: 0, count: 840), shape: [12, 70])],
            "two tensors")
        #expect(throws: TensorFileError.self) {
            try VariantWriter.write(
                [("other", [1])], of: (baseline, "b", "d"), coarseness: 1, to: folder.path("x.safetensors"))
        }
        #expect(throws: TensorFileError.self) {
            try VariantWriter.write([("wide", [1])], of: (baseline, "b", "d"), coarseness: 1, to: folder.path("x.safetensors"))
        }
    }

    @Test("any bytes in the place of codes give numbers or a sentence, never a crash")
    func broken() throws {
        let baseline = try baseline()
        _ = try written(baseline, coarseness: 1)
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.path("variant.safetensors")))
        var state: UInt64 = 7
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 25)
            }
            let path = folder.path("broken.safetensors")
            try bytes.write(to: URL(fileURLWithPath: path))
            do throws(TensorFileError) {
                let variant = try VariantTensors(SafetensorsFile(path: path), of: baseline)
                for name in variant.names { _ = try variant.floats(name) }
            } catch {
                #expect(error.description.hasSuffix("."))
            }
        }
    }
}
