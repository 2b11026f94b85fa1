import Catalog
import Imaging
import Search

/// An encoder whose passes wait until a test lets them go, and that remembers the size of each.
actor GatedEncoder: EmbeddingModel {
    struct Refusal: Error, Equatable {}

    nonisolated let model = ModelRecord(fingerprint: "gated", name: "gated", dimension: 1)
    private(set) var passes: [Int] = []
    private var isOpen: Bool
    private var held: [CheckedContinuation<Void, Never>] = []
    private var fails = false
    private var missing = 0
    private var period: Int?

    init(open: Bool) { isOpen = open }

    func open() {
        isOpen = true
        for continuation in held { continuation.resume() }
        held = []
    }

    func fail(_ fails: Bool) { self.fails = fails }

    /// Every so many passes one fails; the first does not.
    func failEvery(_ period: Int) { self.period = period }

    /// Leaves so many vectors out of every pass.
    func leaveOut(_ count: Int) { missing = count }

    /// The first byte of each picture.
    func encode(images: [RGBImage]) async throws -> [[Float]] {
        passes.append(images.count)
        let number = passes.count
        if !isOpen { await withCheckedContinuation { held.append($0) } }
        if fails || period.map({ number % $0 == 0 }) == true { throw Refusal() }
        return images.dropLast(missing).map { [Float($0.pixels[0])] }
    }

    func encode(texts: [String]) -> [[Float]] { texts.map { [Float($0.count)] } }
}

extension RGBImage {
    /// One pixel of this grey.
    static func dot(_ value: Int) throws -> RGBImage {
        try RGBImage(width: 1, height: 1, pixels: [UInt8](repeating: UInt8(value), count: 3))
    }
}

/// Lets other tasks run until a condition holds; the test's time limit ends a wait in vain.
func until(_ condition: () async -> Bool) async {
    while await !condition() { await Task.yield() }
}
