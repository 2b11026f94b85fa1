// One input of libFuzzer for the reader of multipart forms; compiled together with Sources/API/MultipartForm.swift.
//
// The first line of an input is the Content-Type, the rest the body. A crash, a hang, memory beyond libFuzzer's limits or a part that is not in the
// body is a finding; a refusal is not.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let end = bytes.firstIndex(of: 0x0A) ?? bytes.count
    let type = String(decoding: bytes[..<end], as: UTF8.self)
    let boundary = MultipartForm.boundary(in: type) ?? "b"
    guard (1...70).contains(boundary.utf8.count) else { fatalError("a boundary of \(boundary.utf8.count) bytes") }
    let body = Array(bytes[min(end + 1, bytes.count)...])
    guard let form = try? MultipartForm(body, boundary: boundary) else { return 0 }
    guard form.parts.count <= 64 else { fatalError("\(form.parts.count) parts") }
    var last = 0
    for part in form.parts {
        guard part.bytes.startIndex >= last, part.bytes.endIndex <= body.count else { fatalError("parts that overlap") }
        last = part.bytes.endIndex
        // A part's bytes end where the next boundary's line begins.
        guard body[last...].starts(with: Array("\r\n--\(boundary)".utf8)) else { fatalError("a part without its boundary") }
        _ = part.text
    }
    return 0
}
