import CTorch
import Foundation
import Testing

/// The C shim alone: status codes, messages, untouched results, nothing leaked. Serialized because one test counts handles.
@Suite("The shim's contract", .serialized)
struct ShimContractTests {
    static func tensor(_ values: [Float], _ shape: [Int64]) -> OpaquePointer? {
        var out: OpaquePointer?
        _ = values.withUnsafeBytes { ct_from_bytes($0.baseAddress, $0.count, CT_FLOAT32, shape, shape.count, &out) }
        return out
    }

    @Test("a wrong shape fails with a one-line message and leaves the result untouched")
    func wrongShape() {
        let a = Self.tensor([1, 2, 3, 4, 5, 6], [2, 3])
        defer { ct_tensor_free(a) }
        let marker = OpaquePointer(bitPattern: 0x1234)
        var out = marker
        #expect(ct_matmul(a, a, &out) == CT_ERR_CHECK)
        #expect(out == marker)
        let message = String(cString: ct_last_error())
        #expect(message.contains("2x3"))
        #expect(!message.contains("\n"))
    }

    @Test("a success clears the message")
    func clears() {
        let a = Self.tensor([1, 2], [2])
        defer { ct_tensor_free(a) }
        var out: OpaquePointer?
        #expect(ct_select(a, 3, 0, &out) == CT_ERR_INDEX)
        #expect(!String(cString: ct_last_error()).isEmpty)
        #expect(ct_clone(a, &out) == CT_OK)
        #expect(String(cString: ct_last_error()).isEmpty)
        ct_tensor_free(out)
    }

    @Test("a byte count that is not the shape's is a value error that names both")
    func byteCount() {
        var out: OpaquePointer?
        let values: [Float] = [1, 2, 3]
        let status = values.withUnsafeBytes { ct_from_bytes($0.baseAddress, $0.count, CT_FLOAT32, [2, 2], 2, &out) }
        #expect(status == CT_ERR_VALUE)
        #expect(out == nil)
        #expect(String(cString: ct_last_error()) == "the shape needs 16 bytes, found 12")
    }

    @Test("negative and overflowing shapes are refused before memory is taken")
    func shapes() {
        var out: OpaquePointer?
        #expect(ct_from_bytes(nil, 0, CT_FLOAT32, [-1], 1, &out) == CT_ERR_VALUE)
        #expect(ct_from_bytes(nil, 0, CT_FLOAT32, [Int64.max, 4], 2, &out) == CT_ERR_VALUE)
        #expect(ct_full(0, CT_FLOAT32, [1 << 40, 1 << 20], 2, &out) != CT_OK)
        #expect(out == nil)
    }

    @Test("a wrong element type fails: embeddings take whole numbers, gradients take fractions")
    func types() {
        let table = Self.tensor([1, 2, 3, 4], [2, 2])
        let index = Self.tensor([0.5], [1])
        defer {
            ct_tensor_free(table)
            ct_tensor_free(index)
        }
        var out: OpaquePointer?
        #expect(ct_embedding(table, index, &out) != CT_OK)
        var whole: OpaquePointer?
        #expect(ct_arange(0, 3, &whole) == CT_OK)
        #expect(ct_set_requires_grad(whole, true) != CT_OK)
        ct_tensor_free(whole)
        #expect(out == nil)
    }

    @Test("null handles and unknown codes are argument errors, never a crash")
    func nulls() {
        var out: OpaquePointer?
        #expect(ct_matmul(nil, nil, &out) == CT_ERR_ARGUMENT)
        #expect(ct_backward(nil) == CT_ERR_ARGUMENT)
        #expect(ct_clone(nil, &out) == CT_ERR_ARGUMENT)
        let a = Self.tensor([1], [1])
        defer { ct_tensor_free(a) }
        #expect(ct_unary(CTUnary(rawValue: 999), a, &out) == CT_ERR_ARGUMENT)
        #expect(ct_to_type(a, CTType(rawValue: 77), &out) == CT_ERR_ARGUMENT)
        #expect(ct_clone(a, nil) == CT_ERR_ARGUMENT)
        #expect(out == nil)
    }

    @Test("every thread has its own message")
    func threads() {
        let a = Self.tensor([1, 2, 3, 4, 5, 6], [2, 3])
        defer { ct_tensor_free(a) }
        var out: OpaquePointer?
        #expect(ct_matmul(a, a, &out) == CT_ERR_CHECK)
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var elsewhere = "untouched"
        Thread {
            elsewhere = String(cString: ct_last_error())
            done.signal()
        }.start()
        done.wait()
        #expect(elsewhere.isEmpty)
        #expect(!String(cString: ct_last_error()).isEmpty)
    }

    #if canImport(Glibc)
        @Test("a hundred thousand calls, good and bad, leave no handle and no memory behind")
        func leaks() async {
            // In a process of its own: here, other tests take and return memory meanwhile.
            await #expect(processExitsWith: .success) {
                func resident() throws -> Int {
                    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                    return try #require(Int(text.split(separator: " ")[1])) * 4096
                }
                let a = ShimContractTests.tensor([Float](repeating: 0.5, count: 1024), [32, 32])
                let b = ShimContractTests.tensor([1, 2, 3], [3])
                defer {
                    ct_tensor_free(a)
                    ct_tensor_free(b)
                }
                func round(_ count: Int) {
                    for _ in 0..<count {
                        var out: OpaquePointer?
                        if ct_matmul(a, a, &out) == CT_OK { ct_tensor_free(out) }
                        out = nil
                        if ct_matmul(a, b, &out) == CT_OK { ct_tensor_free(out) }
                    }
                }
                round(2000)  // warm caches first
                let before = try resident()
                round(50_000)
                // 4 KiB a lost tensor would be 200 MB.
                #expect(try resident() - before < 20_000_000)
            }
        }
    #endif

    @Test("borrowed memory is released once, with the last use, and not at all after a failure")
    func borrowed() {
        final class Counter { var releases = 0 }
        let counter = Counter()
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4)
        defer { memory.deallocate() }
        memory.initialize(repeating: 2, count: 4)
        let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = {
            Unmanaged<Counter>.fromOpaque($0!).takeUnretainedValue().releases += 1
        }
        let context = Unmanaged.passUnretained(counter).toOpaque()
        var out: OpaquePointer?
        #expect(ct_from_borrowed(memory, CT_FLOAT32, [-4], 1, context, release, &out) == CT_ERR_VALUE)
        #expect(counter.releases == 0)
        #expect(ct_from_borrowed(memory, CT_FLOAT32, [4], 1, context, release, &out) == CT_OK)
        var view: OpaquePointer?
        #expect(ct_narrow(out, 0, 1, 2, &view) == CT_OK)
        ct_tensor_free(out)
        #expect(counter.releases == 0)
        ct_tensor_free(view)
        #expect(counter.releases == 1)
    }
}
