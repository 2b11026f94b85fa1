// One input of libFuzzer for one of the readers of tensor files; tools/fuzz/run.sh compiles it together with TensorFiles' own sources.
//
// The variable TARGET says which: `safetensors`, `index` (the JSON beside shards), `zip` (a whole archive of torch.save) or `pickle` (a pickle
// in an archive that is whole). A crash, a hang or memory beyond libFuzzer's limits is a finding; an error of ours is not.

import Glibc

private let target = getenv("TARGET").map { String(cString: $0) } ?? ""

/// Files in memory: the readers map what they read.
private let folder: String = {
    var template = Array("/dev/shm/stylefinder-fuzz-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("/dev/shm can't be written") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}()

private func write(_ bytes: UnsafeRawBufferPointer, _ name: String) -> String {
    let path = "\(folder)/\(name)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0, bytes.isEmpty || Glibc.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count else {
        fatalError("\(path) can't be written")
    }
    close(descriptor)
    return path
}

/// Reads every tensor that is no larger than a picture of a tensor needs to be.
private func read(_ source: some TensorSource) {
    for name in source.names {
        guard let tensor = source.tensors[name], tensor.elementCount < 1 << 18 else { continue }
        _ = try? source.floats(name)
        _ = source.liesInPlace(name)
    }
    source.releasePages()
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: size)
    do throws(TensorFileError) {
        switch target {
        case "safetensors": read(try SafetensorsFile(path: write(bytes, "x.safetensors")))
        case "index": read(try ShardedTensors(path: write(bytes, "model.safetensors.index.json")))
        case "zip":
            for objects in [TorchCheckpoint.Objects.refused, .collected] {
                read(try TorchCheckpoint(path: write(bytes, "x.pt"), objects: objects).tensors())
            }
        case "pickle":
            let path = "\(folder)/x.pt"
            let file = try ReplacingFile(path: path)
            var archive = ZipWriter(file)
            try archive.add("x/data.pkl", Array(bytes))
            try archive.add("x/byteorder", Array("little".utf8))
            for storage in 0..<3 { try archive.add("x/data/\(storage)", [UInt8](repeating: 1, count: 256)) }
            try archive.add("x/version", Array("3\n".utf8))
            try archive.finish()
            try file.commit()
            read(try TorchCheckpoint(path: path, objects: .collected).tensors())
        default: fatalError("TARGET is \"\(target)\", expected safetensors, index, zip or pickle")
        }
    } catch {
        // Every error has a sentence.
        if !error.description.hasSuffix(".") { fatalError("an error without a sentence: \(error)") }
    }
    return 0
}
