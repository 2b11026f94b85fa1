import NIOCore
import Synchronization
import Testing

@testable import API

@Suite("Scaled pictures")
struct PictureCacheTests {
    private final class Counter: Sendable {
        let made = Mutex(0)
        func make(_ size: Int) -> ByteBuffer {
            made.withLock { $0 += 1 }
            return ByteBuffer(bytes: [UInt8](repeating: 7, count: size))
        }
    }

    private func key(_ number: Int) -> PictureCache.Key { PictureCache.Key(hash: "\(number)", width: 160) }

    @Test("clients that ask at once for a picture wait for one scaling, and later ones for none")
    func together() async throws {
        let cache = PictureCache(byteLimit: 1000)
        let counter = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { [key = key(1)] in
                    try await cache.bytes(of: key) {
                        for await _ in gate { break }
                        return counter.make(100)
                    }.readableBytes
                }
            }
            open.yield()
            for try await size in group { #expect(size == 100) }
        }
        #expect(counter.made.withLock { $0 } == 1)
        #expect(try await cache.bytes(of: key(1)) { counter.make(5) }.readableBytes == 100)
        #expect(counter.made.withLock { $0 } == 1)
    }

    @Test("a scaling that fails is tried again, and is nobody else's failure later")
    func failure() async throws {
        struct Broken: Error {}
        let cache = PictureCache(byteLimit: 1000)
        let counter = Counter()
        await #expect(throws: Broken.self) { try await cache.bytes(of: key(1)) { throw Broken() } }
        #expect(try await cache.bytes(of: key(1)) { counter.make(9) }.readableBytes == 9)
    }

    @Test("the pictures that were not asked for the longest go first, and one that would fill a quarter is not kept")
    func room() async throws {
        let cache = PictureCache(byteLimit: 1000)
        let counter = Counter()
        for number in 0..<8 {
            _ = try await cache.bytes(of: key(number)) { counter.make(150) }
            _ = try await cache.bytes(of: key(0)) { counter.make(150) }
        }
        let before = counter.made.withLock { $0 }
        #expect(before == 8, "the first one stays, since it is asked for each time")
        _ = try await cache.bytes(of: key(1)) { counter.make(150) }
        #expect(counter.made.withLock { $0 } == before + 1, "the oldest had gone")
        for _ in 0..<2 { _ = try await cache.bytes(of: key(99)) { counter.make(300) } }
        #expect(counter.made.withLock { $0 } == before + 3)
    }
}
